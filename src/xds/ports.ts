import type { NodeInfo } from './node.ts';
import type { EncodedResource, Origin } from './resource.ts';
import type { ResourceSet } from './resource-set.ts';
import type { Message } from './response.ts';
import type { Status } from './status.ts';

/** Everything one view offers: a set per type URL. A type that is absent has no resources. */
export type XdsSnapshot = ReadonlyMap<string, ResourceSet>;

/** One stream of messages, as the transport gives it. */
export interface ByteStream {
  /** Where the peer is, for reports. */
  readonly peer: string;
  /** What the transport knows of the peer's identity; opaque here, handed to the source. */
  readonly credentials: unknown;
  /** Aborts when the stream is over, whoever ended it. */
  readonly closed: AbortSignal;
  readonly requests: AsyncIterable<Buffer>;
  /** Resolves to true once the message is handed to the socket, to false when the stream ended before. One at a time. */
  send(message: Message): Promise<boolean>;
  close(status: Status): void;
}

/** Who is at the other end of a stream, as the transport has it. */
export type Peer = Pick<ByteStream, 'peer' | 'credentials'>;

/** What the source learns of a stream beside its node. */
export type StreamInfo = Peer & {
  readonly protocol: 'delta' | 'sotw';
  /** To be called when `current()` would answer otherwise than before. Calls merge. */
  readonly changed: () => void;
};

/** One proxy's window on its view, from `open` to `close`. */
export interface SnapshotHandle {
  /** The newest snapshot, built now if it must be. The same object as before when nothing changed. */
  current(): XdsSnapshot;
  /**
   * A stand-in for a name that a client asks for and the snapshot lacks. Envoy waits without end for routes that nobody has, so
   * that a route configuration without routes is better than none.
   */
  missing?(typeUrl: string, name: string): EncodedResource | undefined;
  close(): void;
}

/** Who decides what a proxy gets. */
export interface SnapshotSource {
  /** Called before anything of a stream is read, of which anybody may send much. A status refuses the stream. */
  greet?(peer: Peer): Promise<Status | undefined>;
  /** Called once per stream, with the first request's node. A status refuses the stream. */
  open(node: NodeInfo, stream: StreamInfo): Opened | Promise<Opened>;
}

export type Opened =
  | { readonly kind: 'handle'; readonly handle: SnapshotHandle }
  | { readonly kind: 'refused'; readonly status: Status };

export type AckReport = {
  readonly proxy: string;
  readonly typeUrl: string;
  readonly resources: readonly EncodedResource[];
};

export type NackReport = {
  readonly proxy: string;
  readonly typeUrl: string;
  readonly resource: EncodedResource;
  /** The proxy's own words. */
  readonly error: string;
  readonly origins: readonly Origin[];
  /** Whether the version is now kept from everybody, or from this proxy only because others run it. */
  readonly scope: 'everybody' | 'this proxy';
};

/** Told what proxies said. Must not throw and must not take long. */
export interface VerdictListener {
  onAck(report: AckReport): void;
  onNack(report: NackReport): void;
}
