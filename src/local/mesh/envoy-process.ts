import { join } from 'node:path';
import { POD_IDENTITY_FOLDER } from '../../app/pod-identities.ts';
import { renderBootstrap } from '../../injector/bootstrap.ts';
import { PROXY_OWNER } from '../../injector/iptables.ts';
import type { Locality } from '../../model/service.ts';
import { BRIDGE_ADDRESS } from '../plan/addresses.ts';
import type { PodPlan } from '../plan/pod-plan.ts';
import type { PodPlace } from './pod-network.ts';
import type { ProcessSpec } from './process-keeper.ts';

/** Where Envoys find the control plane: by its address, since their own DNS is not there yet, and by its name on Kubernetes. */
export const DISCOVERY = { host: BRIDGE_ADDRESS, port: 15_012, name: 'istiod.istio-system.svc' } as const;

const FLAGS: readonly string[] = [
  '--disable-hot-restart',
  ...['--concurrency', '1'],
  ...['--log-level', 'warning'],
  // An access log that comes ten seconds late, as it does otherwise, looks like none to a person.
  ...['--file-flush-interval-msec', '1000'],
  // As Istio starts it: connections that a change of policy leaves behind are asked to go at once, and cut after 45 s.
  ...['--drain-strategy', 'immediate'],
  ...['--drain-time-s', '45'],
];

/** What processes of pods have in common. */
export type ProcessSetting = {
  readonly setpriv: string;
  /** Where Envoy's binary is seen from inside pods. */
  readonly envoy: string;
  /** Where the commands of containers start. */
  readonly root: string;
  readonly path: string;
  /** Whose processes containers are; undefined is root. */
  readonly appUser: { readonly uid: number; readonly gid: number } | undefined;
  readonly logFolder: string;
  readonly version: string;
};

export type PodPlacement = { readonly plan: PodPlan; readonly address: string; readonly place: PodPlace };

/** Envoy as the injector would start it in a pod: the same bootstrap, the same user. */
export function buildEnvoyProcess({ plan, address, place }: PodPlacement, setting: ProcessSetting): ProcessSpec {
  const bootstrap = renderBootstrap({
    kind: plan.kind === 'router' ? 'router' : 'sidecar',
    name: plan.name,
    namespace: plan.namespace,
    addresses: [address],
    domain: 'cluster.local',
    labels: plan.labels,
    serviceAccount: plan.serviceAccount,
    workloadName: plan.deployment,
    clusterId: 'Kubernetes',
    network: plan.labels['topology.istio.io/network'] ?? '',
    locality: localityOf(plan),
    interception: plan.capture.mode,
    dnsCapture: plan.kind === 'sidecar',
    podPorts: plan.containerPorts,
    nodeName: plan.nodeName,
    version: setting.version,
    discovery: {
      host: DISCOVERY.host,
      port: DISCOVERY.port,
      security: { kind: 'mutual-tls', folder: POD_IDENTITY_FOLDER, serverNames: [DISCOVERY.name] },
    },
    stats: { kind: 'all' },
    adminSocket: place.folder.adminSocket,
    overload: undefined,
  });
  const [uid = 0] = PROXY_OWNER.uids;
  const [gid = 0] = PROXY_OWNER.gids;
  return {
    argv: inPod(place, [
      '--wd=/',
      ...asUser(setting.setpriv, { uid, gid }),
      setting.envoy,
      ...FLAGS,
      '--config-yaml',
      JSON.stringify(bootstrap),
    ]),
    env: { PATH: setting.path },
    logFile: join(setting.logFolder, `${plan.name}.envoy.log`),
    graceMs: 1_000,
  };
}

/** The containers of a pod as processes of the host. */
export function buildAppProcesses(
  { plan, address, place }: PodPlacement,
  setting: ProcessSetting,
): readonly ProcessSpec[] {
  return plan.containers.map((container) => ({
    argv: inPod(place, [
      `--wd=${setting.root}`,
      ...(setting.appUser === undefined ? [] : asUser(setting.setpriv, setting.appUser)),
      ...container.command,
    ]),
    env: {
      PATH: setting.path,
      HOME: '/',
      HOSTNAME: plan.name,
      POD_NAME: plan.name,
      POD_NAMESPACE: plan.namespace,
      POD_IP: address,
      ...container.env,
    },
    logFile: join(setting.logFolder, `${plan.name}.${container.name}.log`),
    graceMs: 5_000,
  }));
}

function inPod(place: PodPlace, command: readonly string[]): readonly [string, ...string[]] {
  return [...place.enter, ...command];
}

function asUser(setpriv: string, user: { readonly uid: number; readonly gid: number }): readonly string[] {
  return [setpriv, `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', '--no-new-privs', '--'];
}

/** `region/zone/subzone` (or with dots, as labels cannot hold slashes) from the labels Istio reads it from. */
function localityOf({ labels }: PodPlan): Locality | undefined {
  const text = labels['topology.istio.io/locality'] ?? labels['istio-locality'];
  if (text === undefined) return undefined;
  const [region = '', zone = '', subzone = ''] = text.split(text.includes('/') ? '/' : '.');
  return { region, zone, subzone };
}
