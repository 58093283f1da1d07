import type { Diagnostic } from '../../../model/diagnostic.ts';
import type { MeshVirtualService } from '../../../model/mesh-snapshot.ts';
import { refOf, renderRef } from '../../../model/object.ts';
import { isVisibleIn } from '../../../model/service.ts';
import type { ProxyTraits, ServiceAtPort } from '../plan.ts';
import { diagnose, type Place } from '../policy/diagnose.ts';
import { bracketed, buildDomains } from './domains.ts';

/** A host and what decides for it. */
export type Claim = {
  readonly host: string;
  readonly port: number;
  readonly member: ServiceAtPort | undefined;
  readonly virtualServices: readonly MeshVirtualService[];
};

const nobody: readonly never[] = [];

type Asking = Pick<ProxyTraits, 'namespace' | 'dnsDomain'>;

/** Where a listener serves many ports: whether it is an HTTP proxy, whose clients mean port 80 when they name none. */
export type ManyPorts = { readonly proxy: boolean };

/**
 * Gives each domain to one claim: Envoy refuses a route configuration in which two virtual hosts have one domain. A complete
 * host name belongs to its own claim, an alias to its service; everything else to the first that asks.
 */
export class DomainClaims {
  readonly #owners = new Map<string, Claim>();
  readonly #asking: Asking;
  readonly #manyPorts: ManyPorts | undefined;
  /** The other names of a claim's service that are for it to answer to. */
  readonly #aliases = new Map<Claim, readonly string[]>();
  /** The claim that answers to a host without a port. */
  readonly #plain = new Map<string, Claim>();
  readonly diagnostics: Diagnostic[] = [];

  constructor(claims: readonly Claim[], asking: Asking, manyPorts: ManyPorts | undefined) {
    this.#asking = asking;
    this.#manyPorts = manyPorts;
    for (const claim of claims) this.#reserve(claim);
    for (const claim of claims) this.#reserveAliases(claim);
  }

  /** The domains of a claim; those that others have are left out, and its owner is told of its own names among them. */
  take(claim: Claim): readonly string[] {
    const { dnsDomain } = this.#asking;
    const own = buildDomains(claim.host, claim.member?.service, dnsDomain);
    const aliases = (this.#aliases.get(claim) ?? nobody).flatMap((alias) => buildDomains(alias, undefined, dnsDomain));
    const forms = (name: string): readonly string[] => this.#formsOf(name, claim);
    return [
      ...own.flatMap(forms).filter((domain) => this.#takeOwn(domain, claim)),
      ...aliases.flatMap(forms).filter((domain) => this.#ownerOf(domain, claim) === claim),
    ];
  }

  /** Addresses of a claim's pods, where they mean nobody else. Pods of several services are the first one's. */
  takePods(claim: Claim, addresses: readonly string[]): readonly string[] {
    return addresses.map(bracketed).filter((domain) => this.#ownerOf(domain, claim) === claim);
  }

  #takeOwn(domain: string, claim: Claim): boolean {
    const owner = this.#ownerOf(domain, claim);
    if (owner !== claim) this.#tell(claim, owner, domain);
    return owner === claim;
  }

  /** Whoever asks first has a domain that nobody has. */
  #ownerOf(domain: string, claim: Claim): Claim {
    const owner = this.#owners.get(domain) ?? claim;
    this.#owners.set(domain, owner);
    return owner;
  }

  /** A rule for the name itself goes before. */
  #reserveAliases(claim: Claim): void {
    const aliases = claim.member?.service.aliases ?? nobody;
    if (aliases.length === 0) return;
    const visible = aliases.filter(({ visibility }) => isVisibleIn(visibility, this.#asking.namespace));
    const names = visible.map(({ hostname }) => hostname);
    this.#aliases.set(
      claim,
      names.filter((name) => this.#reserveName(name, claim)),
    );
  }

  #reserve(claim: Claim): void {
    const plain = this.#plain.get(claim.host);
    const means80 = this.#manyPorts?.proxy === true;
    if (claim.port === 80 || (plain === undefined && !means80)) this.#plain.set(claim.host, claim);
    this.#reserveName(claim.host, claim);
  }

  #reserveName(name: string, claim: Claim): boolean {
    const [host = ''] = buildDomains(name, undefined, '');
    return this.#ownerOf(this.#manyPorts === undefined ? host : `${host}:${claim.port}`, claim) === claim;
  }

  #formsOf(name: string, claim: Claim): readonly string[] {
    if (this.#manyPorts === undefined) return [name];
    const withPort = `${name}:${claim.port}`;
    return this.#plain.get(claim.host) === claim ? [name, withPort] : [withPort];
  }

  #tell(loser: Claim, owner: Claim, domain: string): void {
    const place = placeOf(loser);
    const by = placeOf(owner);
    if (place === undefined || by === undefined) return;
    const message = `${domain} means ${owner.host} of ${renderRef(by.object)} on port ${owner.port}, so requests for it never reach ${loser.host}`;
    this.diagnostics.push(diagnose('info', 'XEB2201', place, message));
  }
}

function placeOf({ member, virtualServices: [first] }: Claim): Place | undefined {
  if (member !== undefined) return { object: member.service.origin, path: 'spec' };
  return first && { object: refOf(first.object), path: 'spec.hosts' };
}
