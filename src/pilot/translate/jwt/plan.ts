import type { PathMatch } from '../../../apis/security/security.ts';
import type { KnownKeys } from '../../../model/mesh-security.ts';
import type { ObjectRef } from '../../../model/object.ts';
import type { SecuritySite } from '../security.ts';

/** Tokens of one issuer: where they are looked for, how they are verified, and what becomes of their claims. */
export type TokenRule = {
  readonly object: ObjectRef;
  /** The rule in its object: `spec.jwtRules[0]`, `spec.origins[0].jwt`. */
  readonly path: string;
  readonly issuer: string;
  /** Without any, a token may be for anybody. */
  readonly audiences: readonly string[];
  /** What verifies them, or why nothing does; then every token of the issuer is refused. */
  readonly keys: KnownKeys;
  /** The field that says where keys are: `jwks`, `jwksUri` or `issuer`. */
  readonly keysField: 'jwks' | 'jwksUri' | 'issuer';
  readonly fromHeaders: readonly { readonly name: string; readonly prefix: string }[];
  readonly fromParams: readonly string[];
  readonly fromCookies: readonly string[];
  readonly forward: boolean;
  readonly payloadHeader: string;
  readonly claimHeaders: readonly { readonly header: string; readonly claim: string }[];
  readonly spaceDelimitedClaims: readonly string[];
};

/** Paths whose requests need a token: those that are included (all, without any) and not excluded. */
export type Trigger = { readonly included: readonly PathMatch[]; readonly excluded: readonly PathMatch[] };

/** A classic origin: for paths of any trigger, or for all where it has none. */
export type Origin = TokenRule & { readonly triggers: readonly Trigger[] };

/** What `Policy` and `MeshPolicy` say about tokens. */
export type ClassicTokens = {
  readonly kind: 'classic';
  readonly object: ObjectRef;
  readonly peers: readonly TokenRule[];
  /** Whether mutual TLS is another way to be a known peer. */
  readonly peersByMutualTls: boolean;
  readonly peerIsOptional: boolean;
  readonly origins: readonly Origin[];
  readonly originIsOptional: boolean;
  /** Whose identity is the principal of a request. */
  readonly principalBinding: 'USE_PEER' | 'USE_ORIGIN';
};

/** Which tokens are taken at a port. With `request`, whoever shows none passes, and is nobody. */
export type TokenPolicy =
  | { readonly kind: 'none' }
  | { readonly kind: 'request'; readonly rules: readonly TokenRule[] }
  | ClassicTokens;

/** Which tokens a workload takes. */
export type RequestPlan = {
  /** Ports of the workload that are unlike the rest. */
  readonly ports: ReadonlyMap<number, TokenPolicy>;
  readonly rest: TokenPolicy;
};

export function tokenPolicyAt({ ports, rest }: RequestPlan, { port }: Pick<SecuritySite, 'port'>): TokenPolicy {
  return (port === undefined ? undefined : ports.get(port)) ?? rest;
}

/** Whether mutual TLS has made the peer known, so that it needs no token for that. */
export function isKnownPeer({ peersByMutualTls }: ClassicTokens, { isMutualTls }: SecuritySite): boolean {
  return peersByMutualTls && isMutualTls;
}
