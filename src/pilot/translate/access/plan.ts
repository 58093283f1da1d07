import type { ExtensionProvider } from '../../../apis/mesh/extension-provider.ts';
import type { AuthorizerPlace } from '../../../model/mesh-security.ts';
import type { ObjectRef } from '../../../model/object.ts';
import type { Place } from '../policy/diagnose.ts';
import type { Pattern } from './pattern.ts';

/**
 * Who may do what with a workload: CUSTOM, AUDIT, DENY, then ALLOW, each oldest first. A request is refused when the authorizer of
 * a CUSTOM policy says so, when a DENY rule matches, or when there are ALLOW policies and no rule of them matches.
 */
export type AccessPlan = {
  readonly policies: readonly AccessPolicy[];
  /** Whether paths are looked at as clients write them; then policies for paths can be evaded. */
  readonly hasRawPaths: boolean;
};

export type AccessAction = 'CUSTOM' | 'AUDIT' | 'DENY' | 'ALLOW';

/** An AuthorizationPolicy, or what a binding of the classic API gives. Without rules it matches nothing. */
export type AccessPolicy = {
  readonly action: AccessAction;
  readonly object: ObjectRef;
  /** Only counts what it would do. */
  readonly isDryRun: boolean;
  /** Whom CUSTOM asks. */
  readonly authorizer: Authorizer | undefined;
  readonly rules: readonly AccessRule[];
  /** What of the object cannot be said to Envoy. */
  readonly flaws: readonly AccessFlaw[];
};

export type AccessFlaw = { readonly place: Place; readonly message: string };

/** Matches when one of its sources, one of its operations and all of its conditions do. An empty list asks for nothing. */
export type AccessRule = {
  /** `ns[shop]-policy[viewers]-rule[0]`: what Envoy calls it when it refuses. */
  readonly name: string;
  /** Where it is written. */
  readonly object: ObjectRef;
  readonly path: string;
  /** Tests of one source hold together. */
  readonly sources: readonly (readonly AccessTest[])[];
  readonly operations: readonly (readonly AccessTest[])[];
  readonly conditions: readonly AccessTest[];
};

/** What a request has one of the values for; negated, what it has none of them for. */
export type AccessTest = {
  readonly isNegated: boolean;
  /** Where it is written: `spec.rules[0].from[0].source.principals`. */
  readonly place: Place;
} & AccessQuestion;

export type AccessQuestion =
  /** The peer's identity without `spiffe://`; trust domains are expanded. */
  | { readonly about: 'principal'; readonly values: readonly Pattern[] }
  | { readonly about: 'namespace'; readonly values: readonly Pattern[] }
  | { readonly about: 'service-account'; readonly values: readonly ServiceAccount[] }
  /** Addresses and blocks of them. */
  | { readonly about: 'source-ip' | 'remote-ip' | 'destination-ip'; readonly values: readonly string[] }
  | { readonly about: 'destination-port'; readonly values: readonly number[] }
  /** `issuer/subject` of the token. */
  | { readonly about: 'request-principal'; readonly values: readonly Pattern[] }
  | { readonly about: 'claim'; readonly claim: readonly string[]; readonly values: readonly Pattern[] }
  /** `inline`: also of the elements between commas. */
  | { readonly about: 'header' | 'inline-header'; readonly header: string; readonly values: readonly Pattern[] }
  | { readonly about: 'host' | 'method'; readonly values: readonly Pattern[] }
  | { readonly about: 'sni'; readonly values: readonly Pattern[] }
  | { readonly about: 'path'; readonly values: readonly (Pattern | PathTemplate)[] }
  /** What another filter found out; in a list, one of its texts. */
  | {
      readonly about: 'metadata';
      readonly filter: string;
      readonly key: string;
      readonly isList: boolean;
      readonly values: readonly Pattern[];
    };

export type ServiceAccount = { readonly namespace: string; readonly name: string };

/** `{*}` is one segment, `{**}` the rest. */
export type PathTemplate = { readonly kind: 'template'; readonly text: string };

export type Authorizer = {
  readonly provider: string;
  readonly place: AuthorizerPlace;
  readonly settings: AuthorizerSettings;
};

export type AuthorizerSettings =
  | { readonly kind: 'http'; readonly http: NonNullable<ExtensionProvider['envoyExtAuthzHttp']> }
  | { readonly kind: 'grpc'; readonly grpc: NonNullable<ExtensionProvider['envoyExtAuthzGrpc']> }
  | { readonly kind: 'unknown' };

/** What HTTP alone has. */
export function isHttpOnly({ about }: AccessQuestion): boolean {
  switch (about) {
    case 'request-principal':
    case 'claim':
    case 'header':
    case 'inline-header':
    case 'host':
    case 'method':
    case 'path':
      return true;
    default:
      return false;
  }
}

/** What only a proven peer has. */
export function isOfPeer({ about }: AccessQuestion): boolean {
  return about === 'principal' || about === 'namespace' || about === 'service-account';
}

/** What only a request with a valid token has. */
export function isOfToken({ about }: AccessQuestion): boolean {
  return about === 'request-principal' || about === 'claim';
}
