import { decodeMessage, encodeMessage } from '../../gen/codec.ts';
import { err, ok, type Result } from '../../kit/result.ts';

/** What a call asks for, whichever service it came by. */
export type CsrCall = {
  /** PEM. */
  readonly csr: string;
  /** Not positive where the default will do. */
  readonly lifetimeMs: number;
  /** The SPIFFE id that the certificate is to be for, where it is not the caller's own. */
  readonly impersonated: string | undefined;
};

/** A certificate, who signed it, and whom to trust; all PEM. */
export type CsrAnswer = { readonly leaf: string; readonly intermediates: string; readonly roots: string };

/** One of the two services by which certificates are asked for: the same, in other words. */
export type CsrService = {
  readonly path: string;
  readonly read: (message: Buffer) => Result<CsrCall, string>;
  readonly write: (answer: CsrAnswer) => Buffer;
};

/** A request with a CSR of 16 KiB, and some more. */
const MOST_BYTES = 20 * 1024;

const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g;

const today: CsrService = {
  path: '/istio.v1.auth.IstioCertificateService/CreateCertificate',
  read: (message) => {
    const {
      csr = '',
      validityDuration = 0,
      metadata,
    } = decodeMessage('istio.v1.auth.IstioCertificateRequest', message);
    const asked = metadata?.fields ?? {};
    if (asked['CertSigner'] !== undefined)
      return err('CertSigner: there is one authority here, and it cannot be chosen');
    const impersonated = asked['ImpersonatedIdentity'];
    if (impersonated === undefined) return ok({ csr, lifetimeMs: Number(validityDuration) * 1000, impersonated });
    const { stringValue } = impersonated;
    if (stringValue === undefined) return err('ImpersonatedIdentity is no text');
    return ok({ csr, lifetimeMs: Number(validityDuration) * 1000, impersonated: stringValue });
  },
  write: ({ leaf, intermediates, roots }) =>
    Buffer.from(
      encodeMessage('istio.v1.auth.IstioCertificateResponse', {
        certChain: [leaf, ...(intermediates.match(PEM_BLOCK) ?? []), roots],
      }),
    ),
};

const classic: CsrService = {
  path: '/istio.v1.auth.IstioCAService/HandleCSR',
  read: (message) => {
    const { csrPem, requestedTtlMinutes = 0 } = decodeMessage('istio.v1.auth.CsrRequest', message);
    const csr = Buffer.from(csrPem ?? []).toString('latin1');
    return ok({ csr, lifetimeMs: requestedTtlMinutes * 60_000, impersonated: undefined });
  },
  write: ({ leaf, intermediates, roots }) =>
    Buffer.from(
      encodeMessage('istio.v1.auth.CsrResponse', {
        isApproved: true,
        status: { message: 'OK' },
        signedCert: Buffer.from(leaf),
        certChain: Buffer.from(intermediates + roots),
      }),
    ),
};

export const csrServices: readonly CsrService[] = [today, classic].map((service) => ({
  ...service,
  read: (message) => {
    if (message.length > MOST_BYTES) return err(`the message has more than ${MOST_BYTES} bytes`);
    try {
      return service.read(message);
    } catch {
      return err('the message is no certificate request of this service');
    }
  },
}));
