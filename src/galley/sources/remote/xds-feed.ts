import { decodeMessage, encodeMessage, type MessageName } from '../../../gen/codec.ts';
import type { DeltaDiscoveryRequest, DeltaDiscoveryResponse } from '../../../gen/types.ts';
import { type Feed, type FeedDeps, INVALID_ARGUMENT } from './feed.ts';

const REQUEST = 'envoy.service.discovery.v3.DeltaDiscoveryRequest' satisfies MessageName;
const RESPONSE = 'envoy.service.discovery.v3.DeltaDiscoveryResponse' satisfies MessageName;

/** Configuration over the delta variant of the aggregated discovery service, as a client of istiod asks for it. */
export function xdsFeed(nodeId: string): Feed {
  const node: DeltaDiscoveryRequest['node'] = {
    id: nodeId,
    metadata: { fields: { GENERATOR: { stringValue: 'api' } } },
  };
  return {
    path: '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources',
    run: async (deps) => {
      const { stream, holdings } = deps;
      const send = (request: DeltaDiscoveryRequest): Promise<boolean> =>
        stream.send(Buffer.from(encodeMessage(REQUEST, request)));
      for (const typeUrl of holdings.names()) {
        await send({ node, typeUrl, initialResourceVersions: holdings.versions(typeUrl) });
      }
      for await (const bytes of stream.messages) {
        const response = decodeMessage(RESPONSE, bytes);
        const { typeUrl = '', nonce = '' } = response;
        if (!holdings.has(typeUrl)) continue;
        const errorDetail = await take(deps, response, bytes.length);
        await send({ typeUrl, responseNonce: nonce, ...(errorDetail && { errorDetail }) });
      }
    },
  };
}

async function take(
  { holdings, meter, refused }: FeedDeps,
  { typeUrl = '', resources = [], removedResources = [] }: DeltaDiscoveryResponse,
  size: number,
): Promise<DeltaDiscoveryRequest['errorDetail']> {
  meter.message(typeUrl, size);
  const complaint = await holdings.take({
    collection: typeUrl,
    isFull: false,
    resources: resources.map(({ name = '', version = '', resource }) => ({
      name,
      version,
      bytes: resource?.value ?? new Uint8Array(),
    })),
    removed: removedResources,
  });
  if (complaint === undefined) {
    meter.acked(typeUrl);
    return undefined;
  }
  meter.nacked(typeUrl, INVALID_ARGUMENT);
  refused(typeUrl, complaint);
  return { code: INVALID_ARGUMENT, message: complaint };
}
