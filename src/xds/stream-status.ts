import type { TypeStream } from './type-stream.ts';

/** One stream for people: is the proxy in step, and if not, why. */
export type StreamStatus = {
  /** The node's id; empty before the first request. */
  readonly proxy: string;
  readonly peer: string;
  readonly protocol: 'delta' | 'sotw';
  /** Milliseconds since the epoch. */
  readonly connectedAt: number;
  /** The client has not taken the last message yet. */
  readonly isWriting: boolean;
  readonly types: readonly TypeStatus[];
};

export type TypeStatus = {
  readonly typeUrl: string;
  readonly wildcard: boolean;
  /** How many names are subscribed to by name. */
  readonly names: number;
  readonly sentNonce: string;
  readonly sentVersion: string;
  readonly ackedNonce: string;
  readonly ackedVersion: string;
  /** What the newest snapshot has. */
  readonly targetVersion: string;
  readonly isAwaitingAnswer: boolean;
  /** Resources that wait for what they need, and names that wait to be removed. */
  readonly held: number;
  readonly lastError: string | undefined;
};

export function describeType(type: TypeStream): TypeStatus {
  return {
    typeUrl: type.typeUrl,
    wildcard: type.client.wildcard,
    names: type.client.names.size,
    sentNonce: type.nonce,
    sentVersion: type.sentVersion,
    ackedNonce: type.ackedNonce,
    ackedVersion: type.ackedVersion,
    targetVersion: type.target.version,
    isAwaitingAnswer: type.inFlight !== undefined,
    held: type.blocked.size + type.gone.size,
    lastError: type.lastError,
  };
}
