import type { Identity } from '../../model/identity.ts';

/** Who calls, as a credential has proven. */
export type Caller = {
  readonly identity: Identity;
  readonly provenBy: 'certificate' | 'token';
  /** The Kubernetes node of the pod that the token was given to; undefined where the credential does not say. */
  readonly node: string | undefined;
};

export type Authentication =
  | { readonly kind: 'known'; readonly caller: Caller }
  /** No credential proves anybody. The reason is for the log; the caller learns less. */
  | { readonly kind: 'unknown'; readonly reason: string }
  /** Whoever had to judge the credential could not be asked. */
  | { readonly kind: 'unavailable'; readonly reason: string };

/** What the transport knows of a caller. Where it calls from is no part of it: an address proves nothing. */
export type Credentials = {
  readonly transport: 'plaintext' | 'tls';
  /** In DER; its chain leads to a root of the mesh. */
  readonly certificate: Buffer | undefined;
  /** Values of the header of that name. */
  readonly authorization: readonly string[];
};
