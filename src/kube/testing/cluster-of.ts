import { gateway } from './copy.ts';
import type { Respond } from './fake-api-server.ts';
import { FakeCluster } from './fake-cluster.ts';

/** A cluster with these gateways, whose answers may be taken over. */
export function clusterOf(...names: readonly string[]) {
  const cluster = new FakeCluster();
  for (const name of names) cluster.put('gateways', gateway(name));
  const takeover: { respond: Respond | undefined } = { respond: undefined };
  const respond: Respond = (request, response) => (takeover.respond ?? cluster.respond)(request, response);
  return { cluster, takeover, respond };
}
