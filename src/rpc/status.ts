import { status } from '@grpc/grpc-js';

/** How a call ends. */
export type RpcStatus = { readonly code: number; readonly message: string };

/** Thrown by the handler of a unary method, and by a client's call, for any status but OK. */
export class RpcError extends Error {
  readonly code: number;

  constructor({ code, message }: RpcStatus) {
    super(message);
    this.code = code;
  }
}

export const RpcStatusCode = {
  OK: status.OK,
  CANCELLED: status.CANCELLED,
  UNKNOWN: status.UNKNOWN,
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  DEADLINE_EXCEEDED: status.DEADLINE_EXCEEDED,
  NOT_FOUND: status.NOT_FOUND,
  PERMISSION_DENIED: status.PERMISSION_DENIED,
  RESOURCE_EXHAUSTED: status.RESOURCE_EXHAUSTED,
  UNIMPLEMENTED: status.UNIMPLEMENTED,
  INTERNAL: status.INTERNAL,
  UNAVAILABLE: status.UNAVAILABLE,
  UNAUTHENTICATED: status.UNAUTHENTICATED,
} as const;
