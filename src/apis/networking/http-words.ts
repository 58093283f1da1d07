/** What `retryOn` may list beside status numbers: Envoy's `x-envoy-retry-on` and `x-envoy-retry-grpc-on`. */
export const retryConditions: ReadonlySet<string> = new Set([
  '5xx',
  'gateway-error',
  'reset',
  'reset-before-request',
  'connect-failure',
  'retriable-4xx',
  'refused-stream',
  'retriable-status-codes',
  'retriable-headers',
  'envoy-ratelimited',
  'http3-post-connect-failure',
  'cancelled',
  'deadline-exceeded',
  'internal',
  'resource-exhausted',
  'unavailable',
]);

/** The registered HTTP status numbers, as text. */
export const httpStatuses: ReadonlySet<string> = new Set(
  [
    ...range(100, 103),
    ...range(200, 208),
    226,
    ...range(300, 305),
    307,
    308,
    ...range(400, 418),
    ...range(421, 426),
    428,
    429,
    431,
    451,
    ...range(500, 508),
    510,
    511,
  ].map(String),
);

export const grpcStatuses: ReadonlySet<string> = new Set([
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
]);

function range(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
