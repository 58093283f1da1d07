import { describeIssuer } from '../citadel/describe-issuer.ts';
import { type HttpReply, type HttpRoute, jsonReply, textReply } from '../http/http-server.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { MeshSnapshot } from '../model/mesh-snapshot.ts';
import type { ConfigObject } from '../model/object.ts';
import type { Proxy } from '../model/proxy.ts';
import { offlineProxy } from '../pilot/proxy/offline.ts';
import type { PromMetrics } from '../telemetry/prom-metrics.ts';
import type { NackReport } from '../xds/ports.ts';
import type { StreamStatus } from '../xds/stream-status.ts';
import type { Xebec } from './assemble.ts';
import { envoyConfigDump } from './config-dump.ts';
import { redactKeys } from './redact-keys.ts';
import { describeStatuses } from './status/status-pages.ts';
import { tellOnce } from './tell-once.ts';
import { renderOrigin } from './verdict-log.ts';

/** What is served for people and probes. Everything answers from memory; nothing here changes anything. */
export function adminRoutes(xebec: Xebec, metrics: PromMetrics): ReadonlyMap<string, HttpRoute> {
  const withMesh =
    (answer: (mesh: MeshSnapshot) => unknown): HttpRoute =>
    () => {
      const mesh = xebec.pilot.mesh();
      return mesh === undefined ? notReady(xebec) : jsonReply(200, answer(mesh));
    };
  const pages: readonly Page[] = [
    ...monitoringPages(xebec, metrics),
    [
      '/debug/syncz',
      'connected proxies: what each was sent and has confirmed',
      () => jsonReply(200, xebec.xds.streams().map(describeStream)),
    ],
    [
      '/debug/config_dump',
      '?proxy=NAME.NAMESPACE or a whole node id: what a proxy gets, in the shape of Envoy’s own dump',
      ({ query }) => configDump(xebec, query.get('proxy') ?? query.get('proxyID') ?? ''),
    ],
    ['/debug/registryz', 'services, and who sees them', withMesh(describeServices)],
    ['/debug/endpointz', 'the endpoints of each port of each service', withMesh(describeEndpoints)],
    ['/debug/configz', 'the objects in force, without what is secret', () => jsonReply(200, describeObjects(xebec))],
    [
      '/debug/diagnosticsz',
      'what is wrong with the configuration, and where',
      () => jsonReply(200, diagnostics(xebec)),
    ],
    [
      '/debug/refusedz',
      'resources that a proxy refused, why, and the objects they came from',
      () => jsonReply(200, xebec.verdicts.refused().map(describeRefusal)),
    ],
    [
      '/debug/statusz',
      'what became of each object: its conditions, as its status has them',
      () => describeStatuses(xebec.status.controller),
    ],
    [
      '/debug/authorityz',
      'who signs identities, which roots are trusted, and what is wrong with them',
      () => jsonReply(200, describeIssuer(xebec.citadel?.issuer.current(), xebec.citadel?.problem())),
    ],
  ];
  return routesOf(pages.map(withoutKeys), ['/debug', '/']);
}

function withoutKeys([path, about, route]: Page): Page {
  return [
    path,
    about,
    async (request) => {
      const reply = await route(request);
      return { ...reply, body: redactKeys(reply.body) };
    },
  ];
}

function routesOf(pages: readonly Page[], indexPaths: readonly string[]): ReadonlyMap<string, HttpRoute> {
  const index: HttpRoute = () => textReply(200, renderIndex(pages));
  return new Map<string, HttpRoute>([
    ...pages.map(([path, , route]) => [path, route] as const),
    ...indexPaths.map((path) => [path, index] as const),
  ]);
}

/** What anybody may ask who reaches the port. Of the mesh it tells names of objects, and how many proxies have each. */
export function monitoringRoutes(xebec: Xebec, metrics: PromMetrics): ReadonlyMap<string, HttpRoute> {
  return routesOf(monitoringPages(xebec, metrics), ['/']);
}

function monitoringPages(xebec: Xebec, metrics: PromMetrics): readonly Page[] {
  return [
    ['/ready', '200 once proxies are served; before that, what it waits for', () => ready(xebec)],
    ['/healthz', '200 as long as the process answers', () => textReply(200, 'ok')],
    ['/metrics', 'for Prometheus', () => exposeMetrics(xebec, metrics)],
    [
      '/debug/distributionz',
      'how many proxies have each object, as replicas tell each other',
      ({ query }) => xebec.status.page.reply(query.get('have')),
    ],
  ];
}

type Page = readonly [path: string, about: string, route: HttpRoute];

function renderIndex(pages: readonly Page[]): string {
  const width = Math.max(...pages.map(([path]) => path.length));
  return pages.map(([path, about]) => `${path.padEnd(width)}   ${about}`).join('\n');
}

function ready(xebec: Xebec): HttpReply {
  return xebec.isReady ? textReply(200, 'ready') : notReady(xebec);
}

async function exposeMetrics(xebec: Xebec, metrics: PromMetrics): Promise<HttpReply> {
  xebec.loopDelay.publish();
  const contentType = 'text/plain; version=0.0.4; charset=utf-8';
  return { status: 200, contentType, body: await metrics.expose() };
}

function describeObjects(xebec: Xebec): unknown {
  return Object.values(xebec.galley.snapshot()?.objects ?? {})
    .flat()
    .map(withoutSecrets);
}

function diagnostics(xebec: Xebec): readonly Diagnostic[] {
  return tellOnce(xebec.galley.diagnostics(), xebec.pilot.diagnostics());
}

function notReady(xebec: Xebec): HttpReply {
  const waiting = xebec.galley.waitingFor();
  if (waiting.length > 0) return textReply(503, `waiting for ${waiting.join(', ')}`);
  return textReply(
    503,
    xebec.webhook?.isReady === false ? 'waiting for the webhook’s port' : 'building the first snapshot',
  );
}

/** A secret's content is nobody's business, not even a person's on this machine. kubectl leaves a copy of it in an annotation. */
function withoutSecrets(object: ConfigObject): unknown {
  if (object.kind !== 'Secret') return object;
  const annotations = Object.fromEntries(Object.keys(object.meta.annotations).map((name) => [name, REDACTED]));
  return { ...object, meta: { ...object.meta, annotations }, spec: REDACTED };
}

const REDACTED = '[redacted]';

const syncNames: Readonly<Record<string, string>> = {
  'type.googleapis.com/envoy.config.cluster.v3.Cluster': 'cluster',
  'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment': 'endpoint',
  'type.googleapis.com/envoy.config.listener.v3.Listener': 'listener',
  'type.googleapis.com/envoy.config.route.v3.RouteConfiguration': 'route',
};

function describeRefusal({ proxy, typeUrl, resource, error, origins, scope }: NackReport): unknown {
  return {
    typeUrl,
    resource: resource.name,
    version: resource.version,
    objects: origins.map(renderOrigin),
    error,
    refusedBy: proxy,
    keptFrom: scope,
  };
}

/** Istio's fields (`cluster_sent`, `cluster_acked` …), which `proxy-status` reads, and what we know beyond them. */
function describeStream({ proxy, protocol, connectedAt, types, peer, isWriting }: StreamStatus): unknown {
  const sync: Record<string, string> = {};
  for (const { typeUrl, sentNonce, ackedNonce } of types) {
    const name = syncNames[typeUrl];
    if (name === undefined) continue;
    sync[`${name}_sent`] = sentNonce;
    sync[`${name}_acked`] = ackedNonce;
  }
  return {
    proxy,
    peer,
    protocol,
    connected_at: new Date(connectedAt).toISOString(),
    ...sync,
    is_writing: isWriting,
    types,
  };
}

async function configDump(xebec: Xebec, wanted: string): Promise<HttpReply> {
  const mesh = xebec.pilot.mesh();
  if (mesh === undefined) return notReady(xebec);
  if (wanted === '') return textReply(400, 'say which proxy: ?proxy=<name.namespace, or the whole node id>');
  const proxy = findProxy(xebec, wanted);
  if (proxy === undefined) return textReply(404, `no proxy ${wanted} is connected; /debug/syncz lists those that are`);
  return jsonReply(200, await envoyConfigDump(xebec.pilot.snapshotFor(proxy)));
}

/** Connected proxies by id or `name.namespace`; a whole node id need not be connected. */
function findProxy(xebec: Xebec, wanted: string): Proxy | undefined {
  const connected = xebec.pilot.proxies().find(({ id, name }) => id === wanted || name === wanted);
  if (connected !== undefined) return connected;
  const mesh = xebec.pilot.mesh();
  const offline = mesh === undefined ? undefined : offlineProxy(wanted, mesh);
  return offline?.ok === true ? offline.value : undefined;
}

function describeServices({ services }: MeshSnapshot): unknown {
  return services;
}

function describeEndpoints({ endpoints, servicesByKey }: MeshSnapshot): unknown {
  return [...endpoints].flatMap(([key, ports]) =>
    [...ports].map(([port, list]) => ({ service: servicesByKey.get(key)?.hostname ?? key, port, endpoints: list })),
  );
}
