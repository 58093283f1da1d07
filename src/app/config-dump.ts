import { anyOf, decodeMessage, encodeMessage, isMessageName } from '../gen/codec.ts';
import { messageToJson } from '../gen/json.ts';
import type { Any } from '../gen/types.ts';
import { compareText } from '../kit/order.ts';
import type { XdsSnapshot } from '../xds/ports.ts';
import type { EncodedResource } from '../xds/resource.ts';
import { renderOrigin } from './verdict-log.ts';

/** The words people use for xDS types, in the order of delivery. */
export const resourceTypes = {
  clusters: 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
  endpoints: 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
  listeners: 'type.googleapis.com/envoy.config.listener.v3.Listener',
  routes: 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration',
  secrets: 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret',
} as const;
export type ResourceType = keyof typeof resourceTypes;

/** One resource for people: what Envoy gets, and the objects it came from. */
export type DumpedResource = {
  readonly type: ResourceType;
  readonly name: string;
  readonly version: string;
  /** Such as `VirtualService shop/reviews spec.http[0]`. */
  readonly origins: readonly string[];
  /** Canonical protobuf JSON with Envoy's field names. */
  readonly resource: unknown;
};

export type DumpFilter = (type: ResourceType, name: string) => boolean;

/** Every resource of a snapshot that the filter lets through, by type and then by name. */
export async function dumpSnapshot(snapshot: XdsSnapshot, isWanted: DumpFilter): Promise<readonly DumpedResource[]> {
  const dumped: DumpedResource[] = [];
  for (const type of Object.keys(resourceTypes) as ResourceType[]) {
    for (const resource of resourcesOf(snapshot, type)) {
      if (isWanted(type, resource.name)) dumped.push(await dumpResource(type, resource));
    }
  }
  return dumped;
}

/** Envoy's own admin dump of a snapshot, as `istioctl proxy-config` reads it. */
export async function envoyConfigDump(snapshot: XdsSnapshot): Promise<unknown> {
  const active = (
    type: ResourceType,
  ): readonly { readonly versionInfo: string; readonly any: Any; readonly name: string }[] =>
    resourcesOf(snapshot, type).map((resource) => ({
      versionInfo: resource.version,
      any: contentOf(resource),
      name: resource.name,
    }));
  const configs = [
    anyOf('envoy.admin.v3.ClustersConfigDump', {
      dynamicActiveClusters: active('clusters').map(({ versionInfo, any }) => ({ versionInfo, cluster: any })),
    }),
    anyOf('envoy.admin.v3.ListenersConfigDump', {
      dynamicListeners: active('listeners').map(({ versionInfo, any, name }) => ({
        name,
        activeState: { versionInfo, listener: any },
      })),
    }),
    anyOf('envoy.admin.v3.RoutesConfigDump', {
      dynamicRouteConfigs: active('routes').map(({ versionInfo, any }) => ({ versionInfo, routeConfig: any })),
    }),
    anyOf('envoy.admin.v3.EndpointsConfigDump', {
      dynamicEndpointConfigs: active('endpoints').map(({ versionInfo, any }) => ({ versionInfo, endpointConfig: any })),
    }),
    anyOf('envoy.admin.v3.SecretsConfigDump', {
      dynamicActiveSecrets: active('secrets').map(({ versionInfo, any, name }) => ({ name, versionInfo, secret: any })),
    }),
  ];
  const bytes = encodeMessage('envoy.admin.v3.ConfigDump', { configs });
  const dump = await messageToJson('envoy.admin.v3.ConfigDump', bytes, { protoFieldNames: true });
  return withoutSecrets(dump);
}

/** Envoy's name for a message of secrets; whatever such a message holds itself, rather than names, is nobody's business. */
const secretsUrl = 'type.googleapis.com/envoy.admin.v3.SecretsConfigDump';

function withoutSecrets(value: unknown, isSecret = false): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, isSecret));
  if (typeof value !== 'object' || value === null) return value;
  const isInside = isSecret || ('@type' in value && value['@type'] === secretsUrl);
  const entries = Object.entries(value).map(([key, inner]) =>
    isInside && key.startsWith('inline_') ? [key, '[redacted]'] : [key, withoutSecrets(inner, isInside)],
  );
  return Object.fromEntries(entries);
}

function resourcesOf(snapshot: XdsSnapshot, type: ResourceType): readonly EncodedResource[] {
  const resources = snapshot.get(resourceTypes[type])?.resources.values() ?? [];
  return [...resources].sort((a, b) => compareText(a.name, b.name));
}

async function dumpResource(type: ResourceType, resource: EncodedResource): Promise<DumpedResource> {
  const { type_url, value } = contentOf(resource);
  const message = type_url.slice(type_url.lastIndexOf('/') + 1);
  const content = await messageToJson(message, value, { protoFieldNames: true });
  return {
    type,
    name: resource.name,
    version: resource.version,
    origins: resource.origins.map(renderOrigin),
    resource: withoutSecrets(content, type === 'secrets'),
  };
}

/** The rest of a frame from its `Any` on is a whole `DiscoveryResponse`. */
function contentOf({ frame, anyOffset, name }: EncodedResource): Any {
  const { resources } = decodeMessage('envoy.service.discovery.v3.DiscoveryResponse', frame.subarray(anyOffset));
  const [content] = resources ?? [];
  if (content === undefined || !isMessageName(content.type_url.slice(content.type_url.lastIndexOf('/') + 1))) {
    throw new Error(`resource ${name} was not encoded by this process`);
  }
  return content;
}
