import type { ConnectionPool, TcpKeepalive } from '../../../apis/networking/networking.ts';
import type {
  CircuitBreakers,
  CircuitBreakers_Thresholds,
  Duration,
  UpstreamConnectionOptions,
} from '../../../gen/types.ts';
import { duration, durationOf, MAX_UINT32, percent, secondsOf, uint32 } from '../protobuf.ts';
import type { RetryBudget } from './effective-policy.ts';

const unlimited: CircuitBreakers_Thresholds = {
  maxConnections: uint32(MAX_UINT32),
  maxPendingRequests: uint32(MAX_UINT32),
  maxRequests: uint32(MAX_UINT32),
  maxRetries: uint32(MAX_UINT32),
};

/** Envoy's own limits of 1024 (and 3 retries) would break busy services, so what nobody limits has none. */
export const unlimitedBreakers: CircuitBreakers = { thresholds: [unlimited] };

export function buildCircuitBreakers(
  pool: ConnectionPool | undefined,
  budget: RetryBudget | undefined,
): CircuitBreakers {
  const http = pool?.http;
  const limits: CircuitBreakers_Thresholds = {
    maxConnections: limit(pool?.tcp?.maxConnections),
    maxPendingRequests: limit(http?.http1MaxPendingRequests),
    maxRequests: limit(http?.http2MaxRequests),
    maxRetries: limit(http?.maxRetries),
  };
  return { thresholds: [budget === undefined ? limits : withRetryBudget(limits, budget)] };
}

/** A budget replaces the number of retries, which would otherwise limit it. */
function withRetryBudget(limits: CircuitBreakers_Thresholds, budget: RetryBudget): CircuitBreakers_Thresholds {
  return {
    ...limits,
    maxRetries: undefined,
    retryBudget: {
      budgetPercent: percent(budget.percent ?? 20),
      minRetryConcurrency: uint32(budget.minRetryConcurrency ?? 3),
    },
  };
}

function limit(value: number | undefined): CircuitBreakers_Thresholds['maxRequests'] {
  return uint32(value !== undefined && value > 0 ? value : MAX_UINT32);
}

export function connectTimeout(pool: ConnectionPool | undefined, meshMillis: number): Duration {
  return durationOf(pool?.tcp?.connectTimeout) ?? duration(meshMillis);
}

/** The policy's settings as a whole, else the mesh's. */
export function buildConnectionOptions(
  pool: ConnectionPool | undefined,
  mesh: TcpKeepalive | undefined,
): UpstreamConnectionOptions | undefined {
  const keepalive = pool?.tcp?.tcpKeepalive ?? mesh;
  if (keepalive === undefined) return undefined;
  return {
    tcpKeepalive: {
      keepaliveProbes: keepalive.probes === undefined || keepalive.probes === 0 ? undefined : uint32(keepalive.probes),
      keepaliveTime: secondsOf(keepalive.time),
      keepaliveInterval: secondsOf(keepalive.interval),
    },
  };
}
