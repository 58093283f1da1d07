/** How a stream ends: a gRPC status code and what to do about it. */
export type Status = { readonly code: number; readonly message: string };

export const StatusCode = {
  OK: 0,
  INVALID_ARGUMENT: 3,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;
