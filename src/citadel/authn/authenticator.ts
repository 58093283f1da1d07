import type { Clock } from '../../kit/clock.ts';
import { type Identity, parseSpiffeId, spiffeId } from '../../model/identity.ts';
import { readPeerIdentity } from '../authority/verify-identity.ts';
import type { Authentication, Credentials } from './caller.ts';
import type { TokenReviews } from './token-reviews.ts';

export type AuthenticatorDeps = {
  /** The mesh's own first, then its aliases; none before they are known. */
  readonly trustDomains: () => readonly string[];
  /** Undefined where there is no API server that knows tokens. */
  readonly tokens: Pick<TokenReviews, 'review'> | undefined;
  readonly clock: Clock;
};

/**
 * Says who calls: by a client certificate of the mesh, else by a token of a Kubernetes service account. The first that succeeds
 * counts. There are no others: OIDC tokens and forwarded certificates (XFCC) prove nobody here.
 */
export class Authenticator {
  readonly #deps: AuthenticatorDeps;

  constructor(deps: AuthenticatorDeps) {
    this.#deps = deps;
  }

  async authenticate(credentials: Credentials): Promise<Authentication> {
    // On plaintext anybody could have read a token on its way.
    if (credentials.transport !== 'tls') return unknown('the connection is not protected');
    // Whoever is of this mesh would be told that he is not.
    if (this.#deps.trustDomains().length === 0)
      return { kind: 'unavailable', reason: 'the trust domain is not known yet' };
    const byCertificate = this.#byCertificate(credentials.certificate);
    if (byCertificate.kind === 'known') return byCertificate;
    const token = bearerToken(credentials.authorization);
    if (token === undefined) return byCertificate;
    const byToken = await this.#byToken(token);
    if (byToken.kind !== 'unknown' || credentials.certificate === undefined) return byToken;
    return unknown(`${byCertificate.reason}; ${byToken.reason}`);
  }

  #byCertificate(certificate: Buffer | undefined): Exclude<Authentication, { kind: 'unavailable' }> {
    if (certificate === undefined) return unknown('neither a client certificate nor a token');
    const { trustDomains, clock } = this.#deps;
    const identity = readPeerIdentity(certificate, { trustDomains: trustDomains(), now: clock.now() });
    if (!identity.ok) return unknown(identity.error);
    return { kind: 'known', caller: { identity: identity.value, provenBy: 'certificate', node: undefined } };
  }

  async #byToken(token: string): Promise<Authentication> {
    const { tokens, trustDomains } = this.#deps;
    if (tokens === undefined) return unknown('no API server is known that could review tokens');
    const verdict = await tokens.review(token);
    if (verdict.kind === 'unavailable') return verdict;
    if (verdict.kind === 'refused') return unknown(verdict.reason);
    const { namespace, serviceAccount, node } = verdict.owner;
    const [trustDomain] = trustDomains();
    const identity = trustDomain === undefined ? undefined : legal({ trustDomain, namespace, serviceAccount });
    if (identity === undefined) return unknown('the account has no identity of the mesh');
    return { kind: 'known', caller: { identity, provenBy: 'token', node } };
  }
}

function unknown(reason: string): { readonly kind: 'unknown'; readonly reason: string } {
  return { kind: 'unknown', reason };
}

/** Names of Kubernetes that are no part of a SPIFFE id are nobody's. */
function legal(identity: Identity): Identity | undefined {
  return parseSpiffeId(spiffeId(identity));
}

/** Of two, nobody knows which one counts. */
function bearerToken([header, ...others]: readonly string[]): string | undefined {
  if (header === undefined || others.length > 0) return undefined;
  return /^bearer +(\S+)$/i.exec(header)?.[1];
}
