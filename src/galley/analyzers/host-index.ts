import { compareSpecificity, hostSubsetOf, isWildcard } from '../../apis/host.ts';
import { nearest } from '../../apis/schema/words.ts';
import type { ConfigSnapshot } from '../../model/config-snapshot.ts';
import type { ConfigObject } from '../../model/object.ts';
import { type Audience, audienceOf, exportToAnnotation, isVisible } from './visibility.ts';

// Comparing names letter by letter is slow, and a guess among thousands is worth little.
const MOST_COMPARED = 500;

/** A host that traffic can be sent to. */
export type KnownHost = {
  readonly hostname: string;
  readonly ports: ReadonlySet<number>;
  readonly audience: Audience;
  readonly object: ConfigObject<'Service'> | ConfigObject<'ServiceEntry'>;
};

/** The hosts of Services and ServiceEntries. */
export class HostIndex {
  readonly #exact: ReadonlyMap<string, readonly KnownHost[]>;
  readonly #wildcards: readonly KnownHost[];
  readonly #isWithoutServices: boolean;
  readonly #serviceSuffix: string;

  constructor(snapshot: ConfigSnapshot, domain: string) {
    this.#isWithoutServices = snapshot.objects.Service.length === 0;
    this.#serviceSuffix = `.svc.${domain}`;
    const hosts = [...serviceHosts(snapshot, domain), ...entryHosts(snapshot)];
    this.#exact = Map.groupBy(
      hosts.filter((host) => !isWildcard(host.hostname)),
      (host) => host.hostname,
    );
    this.#wildcards = hosts
      .filter((host) => isWildcard(host.hostname))
      .sort((a, b) => compareSpecificity(a.hostname, b.hostname));
  }

  /** Whether it is certain that nothing goes by this name. What is of a sort that is not here at all may be somewhere else. */
  lacks(hostname: string): boolean {
    if (this.#exact.size === 0 && this.#wildcards.length === 0) return false;
    if (this.#isWithoutServices && hostname.toLowerCase().endsWith(this.#serviceSuffix)) return false;
    return this.find(hostname).length === 0;
  }

  /** All that go by this name, a wildcard's only when no exact one does. An ExternalName is what it leads to, if that is known. */
  find(hostname: string): readonly KnownHost[] {
    const exact = this.#exact.get(hostname.toLowerCase());
    if (exact !== undefined) return this.#follow(exact, new Set([hostname.toLowerCase()]));
    return this.#wildcards.filter((host) => hostSubsetOf(hostname.toLowerCase(), host.hostname));
  }

  #follow(hosts: readonly KnownHost[], seen: Set<string>): readonly KnownHost[] {
    const next = hosts.map(externalName).find((name) => name !== undefined);
    const target = next === undefined || seen.has(next) ? undefined : this.#exact.get(next);
    return next === undefined || target === undefined ? hosts : this.#follow(target, seen.add(next));
  }

  findVisible(hostname: string, namespace: string): readonly KnownHost[] {
    return this.find(hostname).filter((host) => isVisible(host.audience, namespace));
  }

  /** What to do about a host that is not there. */
  hintFor(hostname: string): string {
    const known = [...this.#exact.keys()];
    const [name = ''] = hostname.split('.');
    const alike =
      known.find((other) => other.startsWith(`${name}.`)) ??
      (known.length > MOST_COMPARED ? undefined : nearestHost(hostname, known));
    return alike === undefined
      ? 'add a Service or ServiceEntry, correct the name, or repair what defines it'
      : `did you mean ${alike}?`;
  }
}

/** Only what differs is compared: by their common end, all Services of a namespace would be alike. */
function nearestHost(hostname: string, known: readonly string[]): string | undefined {
  const labels = hostname.toLowerCase().split('.');
  const groups = Map.groupBy(known, (other) => commonEnd(labels, other.split('.')));
  for (const [count, group] of [...groups].sort(([a], [b]) => b - a)) {
    const byStart = new Map(group.map((other) => [withoutEnd(other.split('.'), count), other]));
    const start = nearest(withoutEnd(labels, count), [...byStart.keys()]);
    if (start !== undefined) return byStart.get(start);
  }
  return undefined;
}

/** How many labels at the end are the same. */
function commonEnd(a: readonly string[], b: readonly string[]): number {
  const most = Math.min(a.length, b.length);
  let count = 0;
  while (count < most && a.at(-1 - count) === b.at(-1 - count)) count += 1;
  return count;
}

function withoutEnd(labels: readonly string[], count: number): string {
  return labels.slice(0, labels.length - count).join('.');
}

function externalName({ object }: KnownHost): string | undefined {
  if (object.kind !== 'Service' || object.spec.type !== 'ExternalName') return undefined;
  return object.spec.externalName?.toLowerCase().replace(/\.$/, '');
}

function serviceHosts({ objects, mesh }: ConfigSnapshot, domain: string): readonly KnownHost[] {
  return objects.Service.map((object) => {
    const { namespace, name, annotations } = object.meta;
    return {
      hostname: `${name}.${namespace}.svc.${domain}`,
      ports: new Set(object.spec.ports.map((port) => port.port)),
      audience: audienceOf(exportToAnnotation(annotations), mesh.defaultServiceExportTo, namespace),
      object,
    };
  });
}

function entryHosts({ objects, mesh }: ConfigSnapshot): readonly KnownHost[] {
  return objects.ServiceEntry.flatMap((object) => {
    const ports = new Set((object.spec.ports ?? []).map((port) => port.number ?? 0));
    const audience = audienceOf(object.spec.exportTo, mesh.defaultServiceExportTo, object.meta.namespace);
    return object.spec.hosts.map((host) => ({ hostname: host.toLowerCase(), ports, audience, object }));
  });
}
