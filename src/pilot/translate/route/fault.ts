import type { HttpFault, Percent } from '../../../apis/networking/networking.ts';
import type { FaultAbort, FaultDelay, FractionalPercent, HTTPFault } from '../../../gen/types.ts';
import { duration, fractionalPercent, millisOf } from '../protobuf.ts';

/** Nothing for a fault that never happens. */
export function buildFault(fault: HttpFault): HTTPFault | undefined {
  const delay = buildDelay(fault.delay);
  const abort = buildAbort(fault.abort);
  if (delay === undefined && abort === undefined) return undefined;
  return { ...(delay === undefined ? {} : { delay }), ...(abort === undefined ? {} : { abort }) };
}

function buildDelay(delay: HttpFault['delay']): FaultDelay | undefined {
  const percentage = share(delay);
  const fixed = millisOf(delay?.fixedDelay) ?? 0;
  return percentage === undefined || fixed <= 0 ? undefined : { percentage, fixedDelay: duration(fixed) };
}

function buildAbort(abort: HttpFault['abort']): FaultAbort | undefined {
  const percentage = share(abort);
  if (percentage === undefined || abort === undefined) return undefined;
  const { httpStatus = 0, grpcStatus } = abort;
  const code = grpcStatus === undefined ? -1 : grpcStatusCodes.indexOf(grpcStatus.toUpperCase());
  if (code > 0) return { percentage, grpcStatus: code };
  return httpStatus >= 200 && httpStatus < 600 ? { percentage, httpStatus } : undefined;
}

type Share = { readonly percentage?: Percent | undefined; readonly percent?: number | undefined };

/** A share that nobody names is none; `percent` is what 1.4 called it. */
function share(spec: Share | undefined): FractionalPercent | undefined {
  const value = spec?.percentage?.value ?? spec?.percent ?? 0;
  return value > 0 ? fractionalPercent(value) : undefined;
}

/** By their numbers. */
const grpcStatusCodes = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];
