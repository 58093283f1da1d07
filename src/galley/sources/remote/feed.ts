import type { ClientStream } from '../../../rpc/rpc-client.ts';
import type { McpMeter } from '../../distribution/mcp-meter.ts';
import type { Holdings } from './holdings.ts';

export type FeedDeps = {
  readonly stream: Pick<ClientStream, 'messages' | 'send'>;
  readonly holdings: Holdings;
  readonly meter: McpMeter;
  /** Told with each answer that was refused, whole or in part. */
  readonly refused: (collection: string, complaint: string) => void;
};

/** One protocol by which configuration is received. */
export type Feed = {
  /** Of the method. */
  readonly path: string;
  /** Asks for everything that is wanted and takes what comes until the stream ends. */
  run(deps: FeedDeps): Promise<void>;
};

/** gRPC's code for content that is refused. */
export const INVALID_ARGUMENT = 3;
