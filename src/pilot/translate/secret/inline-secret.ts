import type { DataSource } from '../../../gen/types.ts';
import type { CertificatePair, ClientAuthority } from '../../../model/gateway-secret.ts';
import type { Origin } from '../../../xds/resource.ts';
import type { Built } from '../built.ts';
import type { SecretType } from './file-secret.ts';

/** A pair as it goes to a gateway: the only place where a key is read. */
export function buildPairSecret(
  name: string,
  { certificate, key }: CertificatePair,
  origins: readonly Origin[],
): Built<SecretType> {
  const tlsCertificate = { certificateChain: inline(certificate), privateKey: inline(key.reveal()) };
  return built({ name, tlsCertificate }, origins);
}

export function buildInlineAuthority(
  name: string,
  { certificates, revocations }: ClientAuthority,
  origins: readonly Origin[],
): Built<SecretType> {
  const crl = revocations === undefined ? undefined : inline(revocations);
  return built({ name, validationContext: { trustedCa: inline(certificates), crl } }, origins);
}

type Message = Built<SecretType>['message'] & { readonly name: string };

function built(message: Message, origins: readonly Origin[]): Built<SecretType> {
  return {
    type: 'envoy.extensions.transport_sockets.tls.v3.Secret',
    name: message.name,
    message,
    needs: [],
    origins,
  };
}

const encoder = new TextEncoder();

function inline(text: string): DataSource {
  return { inlineBytes: encoder.encode(text) };
}
