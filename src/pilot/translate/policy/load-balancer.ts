import type { ConsistentHash, LoadBalancer } from '../../../apis/networking/networking.ts';
import type {
  Cluster_LeastRequestLbConfig,
  Cluster_MaglevLbConfig,
  Cluster_RingHashLbConfig,
  Cluster_RoundRobinLbConfig,
  Cluster_SlowStartConfig,
  OneOf,
} from '../../../gen/types.ts';
import { Cluster_LbPolicy } from '../../../gen/types.ts';
import type { Proxy } from '../../../model/proxy.ts';
import { durationOf, percent, uint64 } from '../protobuf.ts';

export type LoadBalancing = { readonly lbPolicy: Cluster_LbPolicy } & OneOf<{
  ringHashLbConfig: Cluster_RingHashLbConfig;
  maglevLbConfig: Cluster_MaglevLbConfig;
  leastRequestLbConfig: Cluster_LeastRequestLbConfig;
  roundRobinLbConfig: Cluster_RoundRobinLbConfig;
}>;

/** Where the discovery of endpoints leaves nothing to balance. */
export const providedByCluster: LoadBalancing = { lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED };

/** For clusters with endpoints; PASSTHROUGH is a matter of discovery, so here it means the default. */
export function buildLoadBalancing(spec: LoadBalancer | undefined, kind: Proxy['kind']): LoadBalancing {
  if (spec?.consistentHash !== undefined) return hashing(spec.consistentHash, kind);
  // gRPC clients know no other.
  if (kind === 'proxyless') return { lbPolicy: Cluster_LbPolicy.ROUND_ROBIN };
  switch (spec?.simple) {
    case 'RANDOM':
      return { lbPolicy: Cluster_LbPolicy.RANDOM };
    case 'ROUND_ROBIN':
      return { lbPolicy: Cluster_LbPolicy.ROUND_ROBIN, ...roundRobin(spec) };
    case 'LEAST_CONN':
    case 'LEAST_REQUEST':
    case 'PASSTHROUGH':
    case 'UNSPECIFIED':
    case undefined:
      return { lbPolicy: Cluster_LbPolicy.LEAST_REQUEST, ...leastRequest(spec) };
  }
}

const LARGEST_RING = 8_388_608;
const LARGEST_TABLE = 5_000_011;

function hashing(hash: ConsistentHash, kind: Proxy['kind']): LoadBalancing {
  if (hash.maglev !== undefined && kind !== 'proxyless') {
    const size = hash.maglev.tableSize;
    // Envoy refuses a table that is not prime, and the whole cluster with it.
    const usable = size !== undefined && size <= LARGEST_TABLE && isPrime(size);
    return { lbPolicy: Cluster_LbPolicy.MAGLEV, maglevLbConfig: usable ? { tableSize: uint64(size) } : {} };
  }
  const size = hash.ringHash?.minimumRingSize ?? hash.minimumRingSize ?? 1024;
  return {
    lbPolicy: Cluster_LbPolicy.RING_HASH,
    ringHashLbConfig: { minimumRingSize: uint64(Math.min(size, LARGEST_RING)) },
  };
}

function roundRobin(spec: LoadBalancer): { readonly roundRobinLbConfig?: Cluster_RoundRobinLbConfig } {
  const slowStartConfig = slowStart(spec);
  return slowStartConfig === undefined ? {} : { roundRobinLbConfig: { slowStartConfig } };
}

function leastRequest(spec: LoadBalancer | undefined): {
  readonly leastRequestLbConfig?: Cluster_LeastRequestLbConfig;
} {
  const slowStartConfig = slowStart(spec);
  return slowStartConfig === undefined ? {} : { leastRequestLbConfig: { slowStartConfig } };
}

function slowStart(spec: LoadBalancer | undefined): Cluster_SlowStartConfig | undefined {
  const { warmup } = spec ?? {};
  if (warmup === undefined) {
    const window = durationOf(spec?.warmupDurationSecs);
    return window === undefined ? undefined : { slowStartWindow: window };
  }
  return {
    slowStartWindow: durationOf(warmup.duration),
    aggression: warmup.aggression === undefined ? undefined : { defaultValue: warmup.aggression },
    minWeightPercent: warmup.minimumPercent === undefined ? undefined : percent(warmup.minimumPercent),
  };
}

function isPrime(value: number): boolean {
  if (value < 2 || value % 2 === 0) return value === 2;
  for (let divisor = 3; divisor * divisor <= value; divisor += 2) if (value % divisor === 0) return false;
  return true;
}
