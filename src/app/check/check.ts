import type { Clock } from '../../kit/clock.ts';
import type { KubeApi } from '../../kube/api.ts';
import type { Address, ProcessConfig } from '../config.ts';
import { checkApiServer } from './api-server.ts';
import { checkClocks } from './clocks.ts';
import { checkControlPlane } from './control-plane.ts';
import { checkDefinitions } from './definitions.ts';
import { checkIdentities } from './identities.ts';
import { checkPresence } from './presence.ts';
import { checkRights } from './rights.ts';
import { checkStatuses } from './statuses.ts';
import { checkWebhook } from './webhook.ts';
import { checkXds } from './xds.ts';

/** In the order of causes: what fails first is what to look at first. */
export const CHECK_GROUPS = [
  'kubernetes-api',
  'clocks',
  'definitions',
  'permissions',
  'control-plane',
  'webhook',
  'identities',
  'xds',
  'status',
] as const;
export type CheckGroup = (typeof CHECK_GROUPS)[number];

export type CheckState = 'ok' | 'warning' | 'failed' | 'skipped';

/** What was found out about one thing, and what to do about it. */
export type Finding = { readonly state: CheckState; readonly message: string; readonly remedy: string | undefined };

export type CheckLine = Finding & { readonly group: CheckGroup };

export type CheckInputs = {
  readonly kube: KubeApi;
  readonly config: Pick<
    ProcessConfig,
    'namespace' | 'service' | 'domain' | 'controllers' | 'configSources' | 'secretNamespaces' | 'listenedNamespaces'
  >;
  /** Whether a webhook is to be expected. */
  readonly hasWebhook: boolean;
  /** Whether xDS over TLS is. */
  readonly hasXds: boolean;
  /** Where the Service's pages are; nothing where they cannot be reached. */
  readonly monitoring: Address | undefined;
  /** The same of xDS over TLS. */
  readonly xds: Address | undefined;
  /** As whom proxies are asked for there, in a pod. */
  readonly caller: CheckCaller | undefined;
  readonly clock: Clock;
};

/** The pod that checks, and the token of its account. */
export type CheckCaller = { readonly token: string; readonly pod: string; readonly address: string };

export type Check = (inputs: CheckInputs, signal: AbortSignal) => Promise<readonly Finding[]>;

const checks: readonly (readonly [CheckGroup, Check])[] = [
  ['clocks', checkClocks],
  ['definitions', checkDefinitions],
  ['permissions', checkRights],
  ['control-plane', checkControlPlane],
  ['webhook', checkWebhook],
  ['identities', checkIdentities],
  ['xds', checkXds],
  ['status', checkStatuses],
];

/** Looks at everything once. Without an API server nothing else can be looked at, without a control plane there is nothing to look at. */
export async function runChecks(inputs: CheckInputs, signal: AbortSignal): Promise<readonly CheckLine[]> {
  const api = inGroup('kubernetes-api', await checkApiServer(inputs, signal));
  if (api.some(({ state }) => state === 'failed')) return api;
  const absence = inGroup('control-plane', await checkPresence(inputs, signal));
  if (absence.length > 0) return [...api, ...absence];
  const lines = await Promise.all(checks.map(async ([group, check]) => inGroup(group, await check(inputs, signal))));
  return [...api, ...lines.flat()];
}

function inGroup(group: CheckGroup, findings: readonly Finding[]): readonly CheckLine[] {
  return findings.map((finding) => ({ group, ...finding }));
}
