import type { ExtensionProvider } from '../apis/mesh/extension-provider.ts';
import type { ObjectsByKind } from './config-snapshot.ts';
import type { Protocol } from './service.ts';

/** The keys of one issuer: JSON of a JWKS, or why there are none. */
export type KnownKeys =
  | { readonly kind: 'known'; readonly jwks: string }
  | { readonly kind: 'unknown'; readonly reason: string };

/** Keys that were fetched, by the address they come from. An address that is not in it was never asked. */
export type KeyBook = ReadonlyMap<string, KnownKeys>;

/** Where an external authorizer listens, or why nobody can ask it. */
export type AuthorizerPlace =
  | { readonly kind: 'somewhere'; readonly hostname: string; readonly port: number; readonly protocol: Protocol }
  | { readonly kind: 'nowhere'; readonly reason: string };

type SecurityKind =
  | 'PeerAuthentication'
  | 'RequestAuthentication'
  | 'AuthorizationPolicy'
  | 'Policy'
  | 'MeshPolicy'
  | 'ServiceRole'
  | 'ServiceRoleBinding'
  | 'RbacConfig'
  | 'ClusterRbacConfig';

/** What of the mesh says how workloads are protected. The same object while none of it moves. */
export type MeshSecurity = Pick<ObjectsByKind, SecurityKind> & {
  readonly rootNamespace: string;
  /** Its own first, then the aliases. */
  readonly trustDomains: readonly string[];
  readonly extensionProviders: readonly ExtensionProvider[];
  /** By the name of the extension provider. */
  readonly authorizers: ReadonlyMap<string, AuthorizerPlace>;
  /** Whether paths are looked at as clients write them, dots and all: then policies for paths can be evaded. */
  readonly hasRawPaths: boolean;
  readonly keys: KeyBook;
};
