import { decodeMessage, encodeMessage, type MessageName } from '../../gen/codec.ts';
import type { DeltaDiscoveryRequest, DeltaDiscoveryResponse } from '../../gen/types.ts';
import { startWatchdog } from '../../kube/watchdog.ts';
import { type ClientStream, RpcClient } from '../../rpc/rpc-client.ts';
import type { Check, CheckInputs } from './check.ts';
import { render } from './control-plane.ts';
import { failed, ok, skipped } from './findings.ts';

const REQUEST = 'envoy.service.discovery.v3.DeltaDiscoveryRequest' satisfies MessageName;
const RESPONSE = 'envoy.service.discovery.v3.DeltaDiscoveryResponse' satisfies MessageName;
const CLUSTERS = 'type.googleapis.com/envoy.config.cluster.v3.Cluster';
const METHOD = '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources';
const ANSWER_MS = 10_000;

/** That xDS is served: asks for clusters as a sidecar would, takes them, and leaves. */
export const checkXds: Check = async (inputs, signal) => {
  const { hasXds, xds, config, clock } = inputs;
  if (!config.controllers.includes('pilot')) return [ok('not wanted: this xebec runs no pilot')];
  if (!hasXds) return [ok('not wanted: xDS without TLS is off')];
  if (xds === undefined) {
    return [
      skipped(
        'whether xDS is served is only seen from inside of the cluster',
        `run helm test, or kubectl -n ${config.namespace} port-forward service/${config.service} 15010 and give --xds-plaintext`,
      ),
    ];
  }
  const watchdog = startWatchdog(clock, ANSWER_MS, signal);
  const client = new RpcClient(render(xds));
  try {
    const stream = client.open(METHOD);
    watchdog.signal.addEventListener('abort', () => stream.cancel(), { once: true });
    const clusters = await askForClusters(inputs, stream);
    if (clusters !== undefined) return [ok(`xDS on ${render(xds)} answers a sidecar, with ${clusters} clusters`)];
    const { code, message } = await stream.status;
    const why = watchdog.isLate ? 'no answer' : `${message} (gRPC status ${code})`;
    return [
      failed(
        `xDS on ${render(xds)} answers no sidecar: ${why}`,
        'check that the replicas are ready, and NetworkPolicies',
      ),
    ];
  } finally {
    watchdog.stop();
    client.close();
  }
};

/** How many it gave; nothing when the stream ended before. */
async function askForClusters({ config }: CheckInputs, stream: ClientStream): Promise<number | undefined> {
  const { namespace, domain } = config;
  const node = { id: `sidecar~192.0.2.1~xebec-check.${namespace}~${namespace}.svc.${domain}` };
  const send = (request: DeltaDiscoveryRequest): Promise<boolean> =>
    stream.send(Buffer.from(encodeMessage(REQUEST, request)));
  await send({ node, typeUrl: CLUSTERS });
  for await (const bytes of stream.messages) {
    const { typeUrl, nonce = '', resources = [] }: DeltaDiscoveryResponse = decodeMessage(RESPONSE, bytes);
    if (typeUrl !== CLUSTERS) continue;
    await send({ typeUrl, responseNonce: nonce });
    stream.end();
    return resources.length;
  }
  return undefined;
}
