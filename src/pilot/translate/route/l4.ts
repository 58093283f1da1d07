import type { L4Match, RouteDestination, TlsMatch } from '../../../apis/networking/networking.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import type { ClusterName } from '../../../model/ids.ts';
import type { MeshVirtualService, Traced } from '../../../model/mesh-snapshot.ts';
import type { ServiceAtPort } from '../plan.ts';
import type { Place } from '../policy/diagnose.ts';
import type { EffectivePolicy } from '../policy/effective-policy.ts';
import { type Client, matchApplies } from './applies.ts';
import { diagnoseDestination, resolveDestination } from './destination.ts';

export type L4Inputs = {
  /** Those for the host or server, oldest first. */
  readonly virtualServices: readonly MeshVirtualService[];
  readonly client: Client;
  /** Every port of the services that the routes lead to. */
  readonly destinations: readonly ServiceAtPort[];
};

/** Connections that match go to one of the targets. Empty lists match all. */
export type L4Route = {
  readonly sniHosts: readonly string[];
  readonly destinationSubnets: readonly string[];
  /** At least one, none of weight 0. */
  readonly targets: readonly L4Target[];
  /** The cluster's name, or the virtual service's (`name.namespace`) where there are several. */
  readonly statPrefix: string;
  readonly place: Place;
};

export type L4Target = {
  readonly cluster: ClusterName;
  readonly weight: number;
  /** What its DestinationRule says. */
  readonly policy: EffectivePolicy;
  /** The port of a host that is known only by the server name. */
  readonly dynamicPort: number | undefined;
};

export type L4Routes = { readonly routes: readonly L4Route[]; readonly diagnostics: readonly Diagnostic[] };

/** TLS that is passed through, by server name: one route a match. */
export function matchTlsRoutes(inputs: L4Inputs): L4Routes {
  const diagnostics: Diagnostic[] = [];
  const routes = inputs.virtualServices.flatMap((virtualService) =>
    virtualService.tls.flatMap((rule) => {
      const matches = (rule.spec.match ?? []).filter((match) => matchApplies(match, inputs.client));
      return matches.flatMap((match) => buildRoute(inputs, virtualService, { rule, match }, diagnostics));
    }),
  );
  return { routes, diagnostics };
}

/** Plain connections: up to the first route that takes all of them. */
export function matchTcpRoutes(inputs: L4Inputs): L4Routes {
  const diagnostics: Diagnostic[] = [];
  const routes: L4Route[] = [];
  for (const virtualService of inputs.virtualServices) {
    for (const rule of virtualService.tcp) {
      const match = mergeMatches(rule.spec.match ?? [], inputs.client);
      if (match === undefined) continue;
      routes.push(...buildRoute(inputs, virtualService, { rule, match }, diagnostics));
      if (takesAll(routes.at(-1))) return { routes, diagnostics };
    }
  }
  return { routes, diagnostics };
}

/** A connection needs to fulfil one of the matches: all their blocks together, or none if one asks for no block. */
function mergeMatches(matches: readonly L4Match[], client: Client): Matched | undefined {
  if (matches.length === 0) return {};
  const applying = matches.filter((match) => matchApplies(match, client));
  if (applying.length === 0) return undefined;
  const blocks = applying.map(({ destinationSubnets = [] }) => destinationSubnets);
  return blocks.some((block) => block.length === 0) ? {} : { destinationSubnets: [...new Set(blocks.flat())] };
}

function takesAll(route: L4Route | undefined): boolean {
  return route !== undefined && route.sniHosts.length === 0 && route.destinationSubnets.length === 0;
}

type Matched = Pick<TlsMatch, 'sniHosts' | 'destinationSubnets'>;
type L4Rule = { readonly route?: readonly RouteDestination[] | undefined };
type Match = { readonly rule: Traced<L4Rule>; readonly match: Matched };

function buildRoute(
  { destinations, client }: L4Inputs,
  { object }: MeshVirtualService,
  { rule, match }: Match,
  diagnostics: Diagnostic[],
): readonly L4Route[] {
  const listed = rule.spec.route ?? [];
  const used = listed.length === 1 ? listed : listed.filter(({ weight = 0 }) => weight > 0);
  const targets = used.map(({ destination, weight = 0 }) => {
    const resolved = resolveDestination(destination, destinations, client.port);
    const path = `${rule.path}.route[${listed.findIndex((entry) => entry.destination === destination)}].destination`;
    diagnostics.push(...diagnoseDestination(resolved, { object: rule.object, path }));
    return {
      cluster: resolved.cluster,
      weight: used.length === 1 ? 1 : weight,
      policy: resolved.policy,
      dynamicPort: resolved.dynamic ? resolved.port : undefined,
    };
  });
  const [first] = targets;
  if (first === undefined) return [];
  return [
    {
      sniHosts: match.sniHosts ?? [],
      destinationSubnets: match.destinationSubnets ?? [],
      targets,
      statPrefix: targets.length === 1 ? first.cluster : `${object.meta.name}.${object.meta.namespace}`,
      place: rule,
    },
  ];
}
