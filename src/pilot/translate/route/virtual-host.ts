import type { Route, VirtualHost } from '../../../gen/types.ts';
import { VirtualHost_TlsRequirementType } from '../../../gen/types.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import { type ClusterName, outboundClusterName } from '../../../model/ids.ts';
import type { MeshVirtualService } from '../../../model/mesh-snapshot.ts';
import { type ObjectRef, refOf } from '../../../model/object.ts';
import type { Proxy } from '../../../model/proxy.ts';
import { isVisibleIn } from '../../../model/service.ts';
import type { Origin } from '../../../xds/resource.ts';
import { type BuiltVirtualHost, clusterRef, originOf } from '../built.ts';
import { toldHttp } from '../filters/told-protocol.ts';
import type { ServiceAtPort } from '../plan.ts';
import { effectivePolicy } from '../policy/effective-policy.ts';
import { buildHashPolicy } from '../policy/hash-policy.ts';
import type { Client } from './applies.ts';
import type { RouteDefaults } from './defaults.ts';
import { isSniffed } from './destination.ts';
import { buildLimits } from './forward.ts';
import { type BuiltRule, buildHttpRule, tellBlind } from './http-rule.ts';
import { takesEverything } from './match.ts';
import { tellShadowed } from './shadowed.ts';

export type VirtualHostInputs = {
  /** `<host>:<port>`. */
  readonly name: string;
  readonly domains: readonly string[];
  /** The listener's port, or the one that the gateway's server names. */
  readonly port: number;
  /** What the host leads to where no virtual service says otherwise. */
  readonly member: ServiceAtPort | undefined;
  /** In the order their routes are tried. */
  readonly virtualServices: readonly MeshVirtualService[];
  /** `mesh`, or the gateways through which the host is served. */
  readonly gateways: readonly string[];
  /** Sends clients that came without TLS to https. */
  readonly requireTls: boolean;
  /** Every port of every service that the virtual services lead to (`destinationHosts`). */
  readonly destinations: readonly ServiceAtPort[];
  readonly kind: Proxy['kind'];
  /** Whether the client uses mutual TLS, and so tells servers what is inside. */
  readonly tellsProtocol: boolean;
  readonly namespace: string;
  /** The proxy's labels that some match asks for. */
  readonly labels: Readonly<Record<string, string>>;
  readonly defaults: RouteDefaults;
};

export function buildVirtualHost(inputs: VirtualHostInputs): BuiltVirtualHost {
  const { name, domains, member, virtualServices } = inputs;
  const built =
    virtualServices.length === 0 && member !== undefined ? buildDefault(member, inputs) : buildFromRules(inputs);
  const message: VirtualHost = {
    name,
    domains,
    routes: built.routes,
    includeRequestAttemptCount: inputs.defaults.countsAttempts,
    ...(inputs.requireTls ? { requireTls: VirtualHost_TlsRequirementType.ALL } : {}),
  };
  return {
    name,
    message,
    needs: [...new Set(built.clusters)].map(clusterRef),
    origins: [...built.origins, ...aliasOrigins(inputs)],
    diagnostics: built.diagnostics,
  };
}

/** Of the names among the domains that other objects give the service. */
function aliasOrigins({ member, namespace }: VirtualHostInputs): readonly Origin[] {
  const aliases = member?.service.aliases ?? [];
  return aliases
    .filter(({ visibility }) => isVisibleIn(visibility, namespace))
    .map(({ origin }) => originOf(origin, 'spec.externalName'));
}

type BuiltRoutes = BuiltRule & { readonly origins: readonly Origin[] };

/** Virtual services follow each other, each up to its route for everything; the first of those comes last of all. */
function buildFromRules(inputs: VirtualHostInputs): BuiltRoutes {
  const { name, virtualServices, gateways, port, namespace, labels, kind, tellsProtocol, destinations, defaults } =
    inputs;
  const host = name.slice(0, name.lastIndexOf(':'));
  const client: Client = { gateways, port, namespace, labels };
  const context = { client, kind, tellsProtocol, destinations, defaults };
  const routes: Route[] = [];
  const clusters: ClusterName[] = [];
  const blind = virtualServices.flatMap(({ http }) => http.flatMap((rule) => tellBlind(rule, client)));
  const diagnostics: Diagnostic[] = [...blind, ...tellShadowed({ host, virtualServices, client })];
  const origins: Origin[] = [];
  let last: Route | undefined;
  for (const virtualService of virtualServices) {
    for (const rule of virtualService.http) {
      const built = buildHttpRule(rule, { ...context, name: virtualService.object.meta.name });
      const end = built.routes.findIndex(({ match }) => match !== undefined && takesEverything(match));
      const own = end < 0 ? built.routes : built.routes.slice(0, end);
      const isLast = end >= 0 && last === undefined;
      if (isLast) last = built.routes[end];
      routes.push(...own);
      if (own.length > 0 || isLast) {
        clusters.push(...built.clusters);
        diagnostics.push(...built.diagnostics);
        origins.push(originOf(rule.object, rule.path), ...delegating(virtualService, rule.object));
      }
      if (end >= 0) break;
    }
  }
  return { routes: last === undefined ? routes : [...routes, last], clusters, diagnostics, origins };
}

/** The one that delegates has a part in the rules of its delegates. */
function delegating({ object }: MeshVirtualService, owner: ObjectRef): readonly Origin[] {
  const { namespace, name } = object.meta;
  return owner.namespace === namespace && owner.name === name ? [] : [originOf(refOf(object), 'spec.http')];
}

/** To the service as a whole. */
function buildDefault(member: ServiceAtPort, { defaults, kind, tellsProtocol }: VirtualHostInputs): BuiltRoutes {
  const { service, port, rule } = member;
  const policy = effectivePolicy(rule, port.port);
  const cluster = outboundClusterName(port.port, '', service.hostname);
  const hash = buildHashPolicy(policy.loadBalancer?.spec);
  const route: Route = {
    name: 'default',
    match: { prefix: '/' },
    decorator: { operation: `${service.hostname}:${port.port}/*` },
    ...(tellsProtocol && isSniffed(member, policy) ? { typedPerFilterConfig: toldHttp } : {}),
    route: {
      cluster,
      ...buildLimits({}, { defaults, kind }, hash !== undefined),
      ...(defaults.forwardsHost ? { appendXForwardedHost: true } : {}),
      ...(hash === undefined ? {} : { hashPolicy: [hash] }),
    },
  };
  return { routes: [route], clusters: [cluster], diagnostics: [], origins: [originOf(service.origin, 'spec')] };
}
