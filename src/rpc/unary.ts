import type { Result } from '../kit/result.ts';
import type { RpcMethod } from './rpc-server.ts';
import type { PeerCredentials } from './server-stream.ts';
import { type RpcStatus, RpcStatusCode } from './status.ts';

export type UnaryCall = {
  readonly peer: string;
  readonly credentials: PeerCredentials;
  /** Aborts when the caller went away. */
  readonly closed: AbortSignal;
};

export type UnaryAnswer =
  | { readonly kind: 'answer'; readonly message: Buffer }
  | { readonly kind: 'refused'; readonly status: RpcStatus };

export type UnaryService<Caller> = {
  /** Who calls; decided before anything of the message is read. */
  readonly admit: (call: UnaryCall) => Promise<Result<Caller, RpcStatus>>;
  readonly answer: (message: Buffer, caller: Caller, call: UnaryCall) => Promise<UnaryAnswer>;
};

/** A method with one message in each direction, which on the wire is a stream of one. */
export function unaryMethod<Caller>(path: string, { admit, answer }: UnaryService<Caller>): RpcMethod {
  return {
    path,
    serve: async (stream) => {
      const caller = await admit(stream);
      if (!caller.ok) {
        stream.close(caller.error);
        return;
      }
      for await (const message of stream.requests) {
        const result = await answer(message, caller.value, stream);
        if (result.kind === 'refused') stream.close(result.status);
        else await stream.send(result.message);
        return;
      }
      stream.close({ code: RpcStatusCode.INVALID_ARGUMENT, message: 'the call ended without a message' });
    },
  };
}
