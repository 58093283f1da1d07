import { decodeMessage } from '../../src/gen/codec.ts';
import { TypeUrls } from '../../src/xds/type-urls.ts';
import type { AdsClient } from '../ads-client/ads-client.ts';
import type { Resource } from '../ads-client/library.ts';
import type { ExpectedContent } from '../mesh/shapes.ts';

/** Throws unless a client has exactly what its mesh says: a fast answer that is wrong is no result. */
export function checkContent(
  client: AdsClient,
  { clusters, besides = [], endpointsPerCluster, virtualHosts }: ExpectedContent,
): void {
  const outbound = [...client.resources(TypeUrls.cluster).keys()].filter((name) => name.startsWith('outbound|'));
  const expected = new Set([...clusters, ...besides]);
  const surplus = outbound.find((name) => !expected.has(name));
  if (surplus !== undefined) fail(client, `it has ${surplus}, which nobody asked for`);
  if (outbound.length !== expected.size) fail(client, `it has ${outbound.length} clusters, not ${expected.size}`);
  for (const name of clusters) {
    const count = endpointCount(client.resources(TypeUrls.endpoint).get(name));
    if (count !== endpointsPerCluster) fail(client, `${name} has ${count} endpoints, not ${endpointsPerCluster}`);
  }
  const hosts = [...client.resources(TypeUrls.route).values()].reduce((sum, route) => sum + virtualHostCount(route), 0);
  if (hosts < virtualHosts) fail(client, `it has ${hosts} virtual hosts, not ${virtualHosts}`);
}

/** Throws unless clients have the same names and versions of a type. */
export function checkEqual(clients: readonly AdsClient[], typeUrl: string): void {
  const [first, ...others] = clients;
  if (first === undefined) return;
  const expected = first.resources(typeUrl);
  for (const client of others) {
    const resources = client.resources(typeUrl);
    if (resources.size !== expected.size)
      fail(client, `it has ${resources.size} of ${typeUrl}, another ${expected.size}`);
    for (const [name, { version }] of expected) {
      if (resources.get(name)?.version !== version) fail(client, `its ${name} is not the one that another has`);
    }
  }
}

const endpointCounts = new WeakMap<Resource, number>();

export function endpointCount(resource: Resource | undefined): number {
  if (resource === undefined) return 0;
  const known = endpointCounts.get(resource);
  if (known !== undefined) return known;
  const { endpoints = [] } = decodeMessage('envoy.config.endpoint.v3.ClusterLoadAssignment', resource.value);
  const count = endpoints.reduce((sum, { lbEndpoints = [] }) => sum + lbEndpoints.length, 0);
  endpointCounts.set(resource, count);
  return count;
}

const hostCounts = new WeakMap<Resource, number>();

function virtualHostCount(route: Resource): number {
  const known = hostCounts.get(route);
  if (known !== undefined) return known;
  const { virtualHosts = [] } = decodeMessage('envoy.config.route.v3.RouteConfiguration', route.value);
  hostCounts.set(route, virtualHosts.length);
  return virtualHosts.length;
}

function fail({ node }: AdsClient, problem: string): never {
  throw new Error(`${node.id}: ${problem}`);
}
