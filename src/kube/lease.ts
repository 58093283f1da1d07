import type { KubeObject, ObjectName, ResourceType } from './api.ts';
import { asRecord, numberIn, textIn } from './json.ts';
import { microTime } from './micro-time.ts';

export const leaseType: ResourceType = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' };

/** What a Lease says of who holds it. `holder` is `''` for nobody. */
export type Hold = { readonly holder: string; readonly durationMs: number | undefined; readonly transitions: number };

export function readHold(lease: KubeObject): Hold {
  const spec = asRecord(lease['spec']);
  const seconds = numberIn(spec, 'leaseDurationSeconds');
  return {
    holder: textIn(spec, 'holderIdentity'),
    durationMs: seconds === undefined ? undefined : seconds * 1_000,
    transitions: numberIn(spec, 'leaseTransitions') ?? 0,
  };
}

export function newLease({ namespace, name }: ObjectName): KubeObject {
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { namespace, name }, spec: {} };
}

/** The Lease as its holder renews it, or takes it. */
export function heldLease(lease: KubeObject, identity: string, durationMs: number, now: number): KubeObject {
  const spec = asRecord(lease['spec']);
  const { holder, transitions } = readHold(lease);
  const isTaken = holder !== identity;
  return {
    ...lease,
    spec: {
      ...spec,
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(durationMs / 1_000),
      renewTime: microTime(now),
      acquireTime: isTaken ? microTime(now) : spec['acquireTime'],
      leaseTransitions: isTaken ? transitions + 1 : transitions,
    },
  };
}

/** The Lease without a holder. */
export function releasedLease(lease: KubeObject, now: number): KubeObject {
  const { holderIdentity: _, ...spec } = asRecord(lease['spec']);
  return { ...lease, spec: { ...spec, leaseDurationSeconds: 1, renewTime: microTime(now) } };
}
