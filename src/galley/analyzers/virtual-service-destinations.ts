import { completeHost, hostSubsetOf } from '../../apis/host.ts';
import type { Destination } from '../../apis/networking/networking.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { ConfigObject } from '../../model/object.ts';
import { type AnalysisInputs, type Analyzer, about } from './analyzer.ts';

type Path = Diagnostic['path'];
type Named = { readonly destination: Destination; readonly path: Path };

/** A route leads to a host, port or subset that is not there. */
export const virtualServiceDestinations: Analyzer = {
  name: 'virtual-service-destinations',
  run: (inputs) => {
    const subsets = subsetsOf(inputs);
    return inputs.snapshot.objects.VirtualService.flatMap((object) =>
      destinationsOf(object).flatMap((named) => checkDestination(object, named, inputs, subsets)),
    );
  },
};

function checkDestination(
  object: ConfigObject<'VirtualService'>,
  { destination, path }: Named,
  { hosts, domain }: AnalysisInputs,
  subsets: Subsets,
): readonly Diagnostic[] {
  const { namespace } = object.meta;
  const host = completeHost(destination.host, namespace, domain).toLowerCase();
  const missing: Missing = (field, message) => [
    about(object, { code: 'IST0101', level: 'error', path: [...path, ...field], message }),
  ];
  const known = hosts.find(host);
  if (known.length === 0) {
    if (hosts.lacks(host)) return missing(['host'], `there is no host ${host}: ${hosts.hintFor(host)}`);
    // The service is somewhere else, and so may be its rules; those that are here are believed.
    return subsets.of(host).length === 0 ? [] : checkSubset(destination, host, { subsets, missing });
  }
  const visible = hosts.findVisible(host, namespace);
  if (visible.length === 0)
    return missing(['host'], `host ${host} is not exported to namespace ${namespace}: add it to exportTo`);
  const port = destination.port?.number;
  if (port !== undefined && port !== 0 && !visible.some((one) => one.ports.has(port))) {
    const ports = [...new Set(visible.flatMap((one) => [...one.ports]))].sort((a, b) => a - b).join(', ');
    const has = ports === '' ? 'none' : ports;
    return missing(['port', 'number'], `host ${host} has no port ${port}: use one that it has (${has})`);
  }
  return checkSubset(destination, host, { subsets, missing });
}

type Missing = (field: Path, message: string) => readonly Diagnostic[];

function checkSubset(
  { subset }: Destination,
  host: string,
  { subsets, missing }: { readonly subsets: Subsets; readonly missing: Missing },
): readonly Diagnostic[] {
  if (subset === undefined || subset === '' || subsets.has(host, subset)) return [];
  const defined = subsets.of(host);
  const hint = defined.length === 0 ? 'no DestinationRule defines any' : `defined are ${defined.join(', ')}`;
  return missing(['subset'], `there is no subset ${subset} of host ${host} (${hint}): add it to a DestinationRule`);
}

type Subsets = {
  readonly has: (host: string, subset: string) => boolean;
  readonly of: (host: string) => readonly string[];
};

function subsetsOf({ snapshot: { objects }, domain }: AnalysisInputs): Subsets {
  const exact = new Map<string, Set<string>>();
  for (const { meta, spec } of objects.DestinationRule) {
    const host = completeHost(spec.host, meta.namespace, domain).toLowerCase();
    const names = exact.get(host) ?? new Set<string>();
    for (const { name } of spec.subsets ?? []) names.add(name);
    exact.set(host, names);
  }
  const wildcards = [...exact].filter(([host]) => host.startsWith('*'));
  const of = (host: string): readonly string[] => {
    const matching = wildcards.filter(([wildcard]) => hostSubsetOf(host, wildcard)).flatMap(([, names]) => [...names]);
    return [...new Set([...(exact.get(host) ?? []), ...matching])].sort();
  };
  return { of, has: (host, subset) => of(host).includes(subset) };
}

function destinationsOf({ spec }: ConfigObject<'VirtualService'>): readonly Named[] {
  const http = (spec.http ?? []).flatMap((route, index) => {
    const base: Path = ['spec', 'http', index];
    return [
      ...listed(route.route ?? [], [...base, 'route']),
      ...(route.mirror === undefined ? [] : [{ destination: route.mirror, path: [...base, 'mirror'] }]),
      ...listed(route.mirrors ?? [], [...base, 'mirrors']),
    ];
  });
  const tls = (spec.tls ?? []).flatMap((route, index) => listed(route.route ?? [], ['spec', 'tls', index, 'route']));
  const tcp = (spec.tcp ?? []).flatMap((route, index) => listed(route.route ?? [], ['spec', 'tcp', index, 'route']));
  return [...http, ...tls, ...tcp];
}

function listed(routes: readonly { readonly destination: Destination }[], base: Path): readonly Named[] {
  return routes.map(({ destination }, index) => ({ destination, path: [...base, index, 'destination'] }));
}
