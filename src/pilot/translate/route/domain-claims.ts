import type { Diagnostic } from '../../../model/diagnostic.ts';
import type { MeshVirtualService } from '../../../model/mesh-snapshot.ts';
import { refOf, renderRef } from '../../../model/object.ts';
import type { ServiceAtPort } from '../plan.ts';
import { diagnose, type Place } from '../policy/diagnose.ts';
import { buildDomains } from './domains.ts';

/** A host and what decides for it. */
export type Claim = {
  readonly host: string;
  readonly port: number;
  readonly member: ServiceAtPort | undefined;
  readonly virtualServices: readonly MeshVirtualService[];
};

/** Where a listener serves many ports: whether it is an HTTP proxy, whose clients mean port 80 when they name none. */
export type ManyPorts = { readonly proxy: boolean };

/**
 * Gives each domain to one claim: Envoy refuses a route configuration in which two virtual hosts have one domain. A complete
 * host name belongs to its own claim; everything else to the first that asks.
 */
export class DomainClaims {
  readonly #owners = new Map<string, Claim>();
  readonly #dnsDomain: string;
  readonly #manyPorts: ManyPorts | undefined;
  /** The claim that answers to a host without a port. */
  readonly #plain = new Map<string, Claim>();
  readonly diagnostics: Diagnostic[] = [];

  constructor(claims: readonly Claim[], dnsDomain: string, manyPorts: ManyPorts | undefined) {
    this.#dnsDomain = dnsDomain;
    this.#manyPorts = manyPorts;
    for (const claim of claims) this.#reserve(claim);
  }

  /** The domains of a claim; those that others have are left out, and its owner is told. */
  take(claim: Claim): readonly string[] {
    const names = buildDomains(claim.host, claim.member?.service, this.#dnsDomain);
    const wanted = names.flatMap((name) => this.#formsOf(name, claim));
    return wanted.filter((domain) => {
      const owner = this.#owners.get(domain) ?? claim;
      this.#owners.set(domain, owner);
      if (owner !== claim) this.#tell(claim, owner, domain);
      return owner === claim;
    });
  }

  #reserve(claim: Claim): void {
    const [host = ''] = buildDomains(claim.host, undefined, '');
    const plain = this.#plain.get(claim.host);
    const means80 = this.#manyPorts?.proxy === true;
    if (claim.port === 80 || (plain === undefined && !means80)) this.#plain.set(claim.host, claim);
    for (const domain of this.#manyPorts === undefined ? [host] : [`${host}:${claim.port}`]) {
      if (!this.#owners.has(domain)) this.#owners.set(domain, claim);
    }
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
