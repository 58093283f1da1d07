import { decodeMessage, encodeMessage, type MessageName } from '../../gen/codec.ts';
import type { DeltaDiscoveryRequest, DeltaDiscoveryResponse } from '../../gen/types.ts';
import { startWatchdog } from '../../kube/watchdog.ts';
import { type ClientStream, RpcClient } from '../../rpc/rpc-client.ts';
import type { Check, CheckInputs } from './check.ts';
import { render } from './control-plane.ts';
import { failed, ok, skipped, unanswered } from './findings.ts';
import { readRoots } from './identities.ts';

const REQUEST = 'envoy.service.discovery.v3.DeltaDiscoveryRequest' satisfies MessageName;
const RESPONSE = 'envoy.service.discovery.v3.DeltaDiscoveryResponse' satisfies MessageName;
const CLUSTERS = 'type.googleapis.com/envoy.config.cluster.v3.Cluster';
const METHOD = '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources';
const ANSWER_MS = 10_000;

/** What whoever proves nothing is told. */
const UNAUTHENTICATED = 16;

/**
 * That xDS is served with a certificate of the mesh: asks for clusters as a sidecar would, takes them, and leaves. Who is no pod cannot
 * be a sidecar, and is content with being refused.
 */
export const checkXds: Check = async (inputs, signal) => {
  const { hasXds, xds, config, clock, caller } = inputs;
  if (!config.controllers.includes('pilot')) return [ok('not wanted: this xebec runs no pilot')];
  if (!hasXds) return [ok('not wanted: xDS over TLS is off')];
  if (xds === undefined) {
    return [
      skipped(
        'whether xDS is served is only seen from inside of the cluster',
        `run helm test, or kubectl -n ${config.namespace} port-forward service/${config.service} 15012 and give --xds`,
      ),
    ];
  }
  const roots = await readRoots(inputs, signal);
  if (!roots.ok) return [unanswered('the roots of the mesh, by which xDS is known', roots.error)];
  const watchdog = startWatchdog(clock, ANSWER_MS, signal);
  const serverName = `${config.service}.${config.namespace}.svc`;
  const client = new RpcClient(render(xds), { tls: { roots: roots.value, serverName } });
  try {
    const stream = client.open(METHOD, caller === undefined ? {} : { authorization: `Bearer ${caller.token}` });
    watchdog.signal.addEventListener('abort', () => stream.cancel(), { once: true });
    const clusters = await askForClusters(inputs, stream);
    if (clusters !== undefined) return [ok(`xDS on ${render(xds)} answers a sidecar, with ${clusters} clusters`)];
    const { code, message } = await stream.status;
    if (caller === undefined && code === UNAUTHENTICATED)
      return [ok(`xDS on ${render(xds)} has a certificate of the mesh, and refuses who proves nothing`)];
    const why = watchdog.isLate ? 'no answer' : `${message} (gRPC status ${code})`;
    return [
      failed(
        `xDS on ${render(xds)} answers no sidecar: ${why}`,
        `check that the replicas are ready, and NetworkPolicies; who was refused, and why: kubectl -n ${config.namespace} logs deployment/${config.service}`,
      ),
    ];
  } finally {
    watchdog.stop();
    client.close();
  }
};

/** How many it gave; nothing when the stream ended before. */
async function askForClusters({ config, caller }: CheckInputs, stream: ClientStream): Promise<number | undefined> {
  const { namespace, domain } = config;
  const { pod, address } = caller ?? { pod: 'xebec-check', address: '192.0.2.1' };
  const node = { id: `sidecar~${address}~${pod}.${namespace}~${namespace}.svc.${domain}` };
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
