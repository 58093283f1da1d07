import { decodeMessage, isMessageName } from '../../../../src/gen/codec.ts';

export const urls = {
  cluster: 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
  endpoint: 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
  listener: 'type.googleapis.com/envoy.config.listener.v3.Listener',
  route: 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration',
  secret: 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret',
} as const;

export type Kind = keyof typeof urls;
export const kinds = Object.keys(urls) as readonly Kind[];

/** What a resource says of others, read as Envoy would: from its bytes alone. */
export type Content = {
  readonly name: string;
  /** Clusters that traffic is sent to. */
  readonly clusters: readonly string[];
  readonly routes: readonly string[];
  readonly secrets: readonly string[];
  /** The assignment that a cluster waits for. */
  readonly assignment: string | undefined;
  /** With every `Any` opened. */
  readonly message: Readonly<Record<string, unknown>>;
};

const known = new Map<string, Content>();

export function readContent(kind: Kind, value: Uint8Array): Content {
  const key = `${kind} ${Buffer.from(value).toString('base64')}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const content = parse(kind, value);
  known.set(key, content);
  return content;
}

function parse(kind: Kind, value: Uint8Array): Content {
  const message = open({ type_url: urls[kind], value });
  const found = { clusters: new Set<string>(), routes: new Set<string>(), secrets: new Set<string>() };
  if (kind !== 'cluster' && kind !== 'endpoint') walk(message, found);
  const { name, clusterName, edsClusterConfig } = message;
  const ownName = text(name) ?? text(clusterName) ?? '';
  return {
    name: ownName,
    clusters: [...found.clusters],
    routes: [...found.routes],
    secrets: [...found.secrets],
    assignment: isRecord(edsClusterConfig) ? (text(edsClusterConfig['serviceName']) ?? ownName) : undefined,
    message,
  };
}

type Any = { readonly type_url: string; readonly value: Uint8Array };

function open({ type_url, value }: Any): Readonly<Record<string, unknown>> {
  const name = type_url.slice(type_url.lastIndexOf('/') + 1);
  if (!isMessageName(name)) return { type_url };
  return Object.fromEntries(Object.entries(decodeMessage(name, value)).map(([key, inner]) => [key, openAll(inner)]));
}

function openAll(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(openAll);
  if (!isRecord(value)) return value;
  if (typeof value['type_url'] === 'string' && value['value'] instanceof Uint8Array)
    return open({ type_url: value['type_url'], value: value['value'] });
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, openAll(inner)]));
}

type Found = { readonly clusters: Set<string>; readonly routes: Set<string>; readonly secrets: Set<string> };

function walk(value: unknown, found: Found): void {
  if (Array.isArray(value)) {
    for (const item of value) walk(item, found);
    return;
  }
  if (!isRecord(value)) return;
  const { cluster, weightedClusters, routeConfigName, name, sdsConfig } = value;
  if (typeof cluster === 'string') found.clusters.add(cluster);
  if (isRecord(weightedClusters) && Array.isArray(weightedClusters['clusters'])) {
    for (const each of weightedClusters['clusters']) if (isRecord(each)) add(found.clusters, each['name']);
  }
  add(found.routes, routeConfigName);
  // A proxy's own certificates come from files.
  if (isRecord(sdsConfig) && sdsConfig['ads'] !== undefined) add(found.secrets, name);
  for (const inner of Object.values(value)) walk(inner, found);
}

function add(names: Set<string>, name: unknown): void {
  if (typeof name === 'string') names.add(name);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}
