import { isCidr, isIpv4, isIpv6 } from '../../../apis/address.ts';
import { memoByIdentity } from '../../../kit/memo.ts';
import { compareText } from '../../../kit/order.ts';
import { isVisibleIn, type Service } from '../../../model/service.ts';
import { buildDomains } from '../route/domains.ts';

/** A headless service's ready pods: their addresses, and the name some have of their own. */
export type HeadlessNames = {
  readonly service: Service;
  readonly pods: readonly { readonly address: string; readonly hostname: string | undefined }[];
};

export type NameTableInputs = {
  /** Every service in scope; where two have one host name, the first answers. */
  readonly services: readonly Service[];
  readonly headless: readonly HeadlessNames[];
  /** Such as `default.svc.cluster.local`. */
  readonly dnsDomain: string;
};

export type NameEntry = { readonly name: string; readonly addresses: readonly string[] };

/**
 * Which addresses each name has, sorted by name. A service is known by its host name and, inside the proxy's own domain, by every
 * shorter form of it; a pod by its label in front of its service's names.
 */
export function buildNameTable({ services, headless, dnsDomain }: NameTableInputs): readonly NameEntry[] {
  const names = new Map<string, readonly string[]>();
  const add = (name: string, addresses: readonly string[]): void => {
    if (addresses.length > 0 && isAnswerable(name) && !names.has(name)) names.set(name, addresses);
  };
  const headlessByKey = new Map(headless.map((entry) => [entry.service.key, entry]));
  const named = services.flatMap((service) => visibleNames(service, dnsDomain).map((name) => ({ service, name })));
  // A full name always goes before a short form that spells the same, and a service's own before what others call it.
  for (const service of services) addService(service, [service.hostname]);
  for (const { service, name } of named) addService(service, [name]);
  for (const { service, name } of named) addService(service, shortForms(name, dnsDomain));
  return [...names].map(([name, addresses]) => ({ name, addresses })).sort((a, b) => compareText(a.name, b.name));

  function addService(service: Service, hostnames: readonly string[]): void {
    if (hostnames.length === 0) return;
    const pods = headlessByKey.get(service.key)?.pods ?? [];
    const addresses = service.headless ? podAddresses(pods) : virtualAddresses(service);
    for (const hostname of hostnames) add(hostname, addresses);
    for (const [label, own] of podNames(service, pods)) {
      for (const hostname of hostnames) add(`${label}.${hostname}`, own);
    }
  }
}

function visibleNames(service: Service, dnsDomain: string): readonly string[] {
  if (service.aliases.length === 0) return [service.hostname];
  const namespace = dnsDomain.slice(0, Math.max(0, dnsDomain.indexOf('.')));
  const aliases = service.aliases.filter(({ visibility }) => isVisibleIn(visibility, namespace));
  return [service.hostname, ...aliases.map(({ hostname }) => hostname)];
}

function podAddresses(pods: HeadlessNames['pods']): readonly string[] {
  return distinctSorted(pods.map(({ address }) => address));
}

function podNames(service: Service, pods: HeadlessNames['pods']): ReadonlyMap<string, readonly string[]> {
  const byName = new Map<string, readonly string[]>();
  if (!service.headless) return byName;
  for (const { hostname, address } of pods) {
    if (hostname !== undefined) byName.set(hostname, distinctSorted([...(byName.get(hostname) ?? []), address]));
  }
  return byName;
}

/** Judged once a service: the same list serves all of its names. */
const virtualAddresses = memoByIdentity(({ addresses, autoAddresses }: Service): readonly string[] =>
  distinctSorted(addresses.length > 0 ? addresses.filter((address) => !isCidr(address)) : autoAddresses),
);

function distinctSorted(addresses: readonly string[]): readonly string[] {
  const usable = addresses.filter((address) => isIpv4(address) || isIpv6(address));
  return [...new Set(usable)].sort(compareText);
}

/** `*` alone would answer for the whole internet. */
function isAnswerable(name: string): boolean {
  return name !== '*' && name !== '' && name.length <= 255;
}

/** `reviews`, `reviews.default` and `reviews.default.svc` for a service of the proxy's namespace; nothing outside its domain. */
export function shortForms(hostname: string, dnsDomain: string): readonly string[] {
  return buildDomains(hostname, undefined, dnsDomain).slice(1);
}
