import { z } from 'zod';
import { isPlain } from '../schema/normalise.ts';
import type { Spec } from '../schema/spec.ts';
import { optionalText } from './schema.ts';

/**
 * What xebec reads of a Secret: a pair, who vouches for clients, and what was revoked; first as `kubernetes.io/tls` has them, then by
 * Istio's older names. Everything else is nobody's business and is dropped as it arrives.
 */
export const credentialKeys = ['tls.crt', 'tls.key', 'ca.crt', 'ca.crl', 'cert', 'key', 'cacert', 'crl'] as const;
export type CredentialKey = (typeof credentialKeys)[number];

/**
 * The namespaces, beside the Secret's own, whose gateways may serve with it: names with commas between. It is for the Secret's owner to
 * say, as a ReferenceGrant is.
 */
export const ALLOWED_NAMESPACES = 'xebec.dev/allowed-gateway-namespaces';

/** Base64 as the API server writes it, decoded: PEM is text. What is not becomes text that is no PEM, and is judged as such. */
function decode(value: string): string {
  return Buffer.from(value, 'base64').toString('utf8');
}

type Texts = Readonly<Partial<Record<CredentialKey, string>>>;

export const secretSchema = z
  .object({ type: optionalText, data: z.unknown().optional(), stringData: z.unknown().optional() })
  .transform(({ type, data, stringData }, context): { readonly type: string; readonly data: Texts } => {
    const encoded = textsOf(data);
    const written = textsOf(stringData);
    if (encoded === undefined || written === undefined) {
      // Of the object as a whole: a complaint quotes what it is about, and here that may be a key.
      context.addIssue({ code: 'custom', message: 'has data or stringData that are no texts by name' });
      return z.NEVER;
    }
    const decoded = Object.entries(encoded).map(([key, value]) => [key, decode(value)] as const);
    return { type: type ?? 'Opaque', data: { ...Object.fromEntries(decoded), ...written } };
  });

/** The texts that are read. Nothing where something else than texts stands. */
function textsOf(value: unknown): Texts | undefined {
  if (value === undefined || value === null) return {};
  if (!isPlain(value) || Object.values(value).some((text) => typeof text !== 'string')) return undefined;
  return Object.fromEntries(
    credentialKeys.flatMap((key) => (typeof value[key] === 'string' ? [[key, value[key]] as const] : [])),
  );
}

export type SecretSpec = Spec<typeof secretSchema>;
