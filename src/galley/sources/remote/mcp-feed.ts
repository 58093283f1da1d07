import { decodeMessage, encodeMessage } from '../../../gen/codec.ts';
import type { McpRequestResources, McpResources } from '../../../gen/types.ts';
import { MCP_SOURCE_METHOD } from '../../distribution/mcp-source.ts';
import { type Feed, type FeedDeps, INVALID_ARGUMENT } from './feed.ts';

const UNIMPLEMENTED = 12;

/**
 * The Mesh Configuration Protocol from the sink's side. It asks for what changed only; a source that does not offer that sends
 * all of a collection each time, and says so.
 */
export function mcpFeed(nodeId: string): Feed {
  return {
    path: MCP_SOURCE_METHOD,
    run: async (deps) => {
      const { stream, holdings } = deps;
      const send = (request: McpRequestResources): Promise<boolean> =>
        stream.send(Buffer.from(encodeMessage('istio.mcp.v1alpha1.RequestResources', request)));
      const sinkNode = { id: nodeId };
      for (const collection of holdings.names()) {
        const initialResourceVersions = holdings.versions(collection);
        await send({ sinkNode, collection, initialResourceVersions, incremental: true });
      }
      for await (const bytes of stream.messages) {
        const answer = decodeMessage('istio.mcp.v1alpha1.Resources', bytes);
        const { collection = '', nonce = '' } = answer;
        const errorDetail = await take(deps, answer, bytes.length);
        await send({
          sinkNode,
          collection,
          responseNonce: nonce,
          incremental: true,
          ...(errorDetail && { errorDetail }),
        });
      }
    },
  };
}

type ErrorDetail = NonNullable<McpRequestResources['errorDetail']>;

async function take(
  { holdings, meter, refused }: FeedDeps,
  answer: McpResources,
  size: number,
): Promise<ErrorDetail | undefined> {
  const { collection = '', resources = [], removedResources = [], incremental = false } = answer;
  // A source may announce itself with a collection that nobody has; the refusal is what it expects.
  if (!holdings.has(collection)) {
    return { code: UNIMPLEMENTED, message: `there is no collection ${JSON.stringify(collection)} here` };
  }
  meter.message(collection, size);
  const complaint = await holdings.take({
    collection,
    isFull: !incremental,
    resources: resources.map((resource) => ({
      name: resource.metadata?.name ?? '',
      version: resource.metadata?.version ?? '',
      bytes: encodeMessage('istio.mcp.v1alpha1.Resource', resource),
    })),
    removed: removedResources,
  });
  if (complaint === undefined) {
    meter.acked(collection);
    return undefined;
  }
  meter.nacked(collection, INVALID_ARGUMENT);
  refused(collection, complaint);
  return { code: INVALID_ARGUMENT, message: complaint };
}
