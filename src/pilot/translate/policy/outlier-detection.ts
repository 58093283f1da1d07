import type { OutlierDetection as OutlierSpec } from '../../../apis/networking/networking.ts';
import type { OutlierDetection, UInt32Value } from '../../../gen/types.ts';
import { durationOf, uint32 } from '../protobuf.ts';

type Consecutive = Pick<
  OutlierDetection,
  'consecutive_5xx' | 'enforcingConsecutive_5xx' | 'consecutiveGatewayFailure' | 'enforcingConsecutiveGatewayFailure'
>;

/** Ejection by success rate is Envoy's own idea and nobody asked for it, so it is off. */
export function buildOutlierDetection(spec: OutlierSpec): OutlierDetection {
  return {
    ...consecutiveErrors(spec),
    ...localOriginErrors(spec),
    interval: durationOf(spec.interval),
    baseEjectionTime: durationOf(spec.baseEjectionTime),
    maxEjectionPercent: positive(spec.maxEjectionPercent),
    enforcingSuccessRate: uint32(0),
  };
}

/** The share of healthy endpoints below which Envoy ignores health. 0 = never: few endpoints are no reason to use broken ones. */
export function panicThreshold(spec: OutlierSpec | undefined): number {
  return Math.max(0, spec?.minHealthPercent ?? 0);
}

/** `consecutiveErrors` is 1.4's name: it counts gateway errors, and no others. */
function consecutiveErrors(spec: OutlierSpec): Consecutive {
  const classic = spec.consecutiveErrors !== undefined && spec.consecutiveErrors > 0;
  const gateway = spec.consecutiveGatewayErrors ?? (classic ? spec.consecutiveErrors : undefined);
  const any = spec.consecutive5xxErrors;
  return {
    ...(gateway === undefined
      ? {}
      : { consecutiveGatewayFailure: positive(gateway), enforcingConsecutiveGatewayFailure: enforced(gateway) }),
    ...(any === undefined
      ? classic
        ? { enforcingConsecutive_5xx: uint32(0) }
        : {}
      : { consecutive_5xx: positive(any), enforcingConsecutive_5xx: enforced(any) }),
  };
}

function localOriginErrors(spec: OutlierSpec): OutlierDetection {
  if (spec.splitExternalLocalOriginErrors !== true) return {};
  const failures = spec.consecutiveLocalOriginFailures ?? 0;
  return {
    splitExternalLocalOriginErrors: true,
    enforcingLocalOriginSuccessRate: uint32(0),
    ...(failures > 0
      ? { consecutiveLocalOriginFailure: uint32(failures), enforcingConsecutiveLocalOriginFailure: uint32(100) }
      : {}),
  };
}

/** 0 switches the kind of ejection off. */
function enforced(count: number): UInt32Value {
  return uint32(count > 0 ? 100 : 0);
}

/** Envoy refuses counts of 0. */
function positive(count: number | undefined): UInt32Value | undefined {
  return count === undefined || count <= 0 ? undefined : uint32(count);
}
