import type { AuthenticationPolicySpec } from '../../apis/security/security.ts';
import type { ConfigObject } from '../../model/object.ts';
import { refOf } from '../../model/object.ts';
import type { ServicePort, ServiceTarget } from '../../model/service.ts';
import { compareAge } from '../registry/order.ts';
import type { InboundTlsMode } from '../translate/listener/inbound-match.ts';
import type { Place } from '../translate/policy/diagnose.ts';

/** What one policy says, and where. */
export type Statement = { readonly mode: InboundTlsMode; readonly place: Place };

export type ClassicTarget = {
  readonly policy: ConfigObject<'Policy'>;
  readonly index: number;
  readonly service: string;
  /** Empty for all ports of the service. */
  readonly ports: readonly ClassicPort[];
  readonly statement: Statement;
};

type ClassicPort = { readonly number?: number | undefined; readonly name?: string | undefined };

/** The classic policies of one namespace. */
export type ClassicNamespace = {
  readonly whole: Statement | undefined;
  /** Oldest first. */
  readonly targets: readonly ClassicTarget[];
};

/** A policy without an mtls peer takes plaintext and nothing else, as it always did. `mtls: {}` and `mtls:` are STRICT. */
export function classicMode({ peers = [] }: AuthenticationPolicySpec): InboundTlsMode {
  const mtls = peers.find((peer) => peer.mtls !== undefined)?.mtls;
  if (mtls === undefined) return 'DISABLE';
  return mtls?.mode === 'PERMISSIVE' ? 'PERMISSIVE' : 'STRICT';
}

export function classicStatement(policy: ConfigObject<'Policy' | 'MeshPolicy'>): Statement {
  const path = policy.spec.peers === undefined ? 'spec' : 'spec.peers';
  return { mode: classicMode(policy.spec), place: { object: refOf(policy), path } };
}

export function classicNamespaces(policies: readonly ConfigObject<'Policy'>[]): ReadonlyMap<string, ClassicNamespace> {
  const byNamespace = Map.groupBy(policies.toSorted(compareAge), ({ meta }) => meta.namespace);
  return new Map([...byNamespace].map(([namespace, own]) => [namespace, readNamespace(own)]));
}

function readNamespace(policies: readonly ConfigObject<'Policy'>[]): ClassicNamespace {
  const whole = policies.find(({ meta, spec }) => meta.name === 'default' && (spec.targets ?? []).length === 0);
  const targets = policies.flatMap((policy) =>
    (policy.spec.targets ?? []).map(
      ({ name = '', ports = [] }, index): ClassicTarget => ({
        policy,
        index,
        service: name,
        ports,
        statement: classicStatement(policy),
      }),
    ),
  );
  return { whole: whole && classicStatement(whole), targets };
}

/**
 * What classic policies say about one port of a workload: one for the port before one for the service, and of those the oldest.
 * Istio 1.4 took the oldest of both, so that an older policy for a service hid a younger one for its port.
 */
export function classicPort(
  { targets }: ClassicNamespace,
  { service, port }: Pick<ServiceTarget, 'service' | 'port'>,
): Statement | undefined {
  const own = targets.filter((target) => target.service === service.name);
  const found =
    own.find(({ ports }) => ports.some((one) => isPort(one, port))) ?? own.find(({ ports }) => ports.length === 0);
  return found?.statement;
}

export function isPort({ number, name }: ClassicPort, port: ServicePort): boolean {
  return number === undefined ? name === port.name : number === port.port;
}
