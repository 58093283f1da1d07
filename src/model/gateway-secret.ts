import type { Hidden } from '../kit/hidden.ts';
import type { ObjectRef } from './object.ts';

/** What a server shows of itself, as PEM that was found to belong together. */
export type CertificatePair = {
  /** The server's own certificate first. */
  readonly certificate: string;
  readonly key: Hidden;
  readonly keyType: 'RSA' | 'ECDSA';
  /** Milliseconds since the epoch, of the certificate that ends first. */
  readonly expiresAt: number;
};

/** Who vouches for clients, and which certificates were revoked, as PEM. */
export type ClientAuthority = { readonly certificates: string; readonly revocations: string | undefined };

/** One part of a Secret. Both are undefined where the Secret does not have it. */
export type SecretPart<T> = {
  /** What is in force: of a Secret that turned bad, what it was before. */
  readonly value: T | undefined;
  /** Why the newest version is not. */
  readonly problem: string | undefined;
};

/** A Secret as gateways use it. A part that did not change is the same object. */
export type GatewaySecret = {
  readonly ref: ObjectRef;
  readonly pair: SecretPart<CertificatePair>;
  readonly authority: SecretPart<ClientAuthority>;
  /** The namespaces, beside its own, whose gateways its owner lets use it. */
  readonly allowedNamespaces: readonly string[];
};

/** By `namespace/name`. The same object while none of it moves. */
export type SecretBook = ReadonlyMap<string, GatewaySecret>;

export const noSecrets: SecretBook = new Map();
