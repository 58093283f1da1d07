import type { ConfigSource, SdsSecretConfig } from '../../../gen/types.ts';
import { ApiVersion } from '../../../gen/types.ts';
import type { Origin, ResourceRef } from '../../../xds/resource.ts';
import type { Built } from '../built.ts';
import { duration } from '../protobuf.ts';

export type SecretType = 'envoy.extensions.transport_sockets.tls.v3.Secret';
export const SECRET_URL = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret';

export type CertificateFiles = { readonly certificate: string; readonly key: string };
export type AuthorityFiles = { readonly authority: string; readonly revocations: string | undefined };

/**
 * Files on the gateway's own disk are named in a secret that goes over the stream, never in the listener: Envoy refuses whatever
 * names a file that is not there, so a missing certificate costs its own server and no other. It is read as soon as it appears.
 */
export function buildCertificateSecret(files: CertificateFiles, origins: readonly Origin[]): Built<SecretType> {
  const name = certificateSecretName(files);
  return {
    type: 'envoy.extensions.transport_sockets.tls.v3.Secret',
    name,
    message: {
      name,
      tlsCertificate: {
        certificateChain: { filename: files.certificate },
        privateKey: { filename: files.key },
        watchedDirectory: { path: directoryOf(files.certificate) },
      },
    },
    needs: [],
    origins,
  };
}

export function buildAuthoritySecret(files: AuthorityFiles, origins: readonly Origin[]): Built<SecretType> {
  const name = authoritySecretName(files);
  const { authority, revocations } = files;
  return {
    type: 'envoy.extensions.transport_sockets.tls.v3.Secret',
    name,
    message: {
      name,
      validationContext: {
        trustedCa: { filename: authority },
        crl: revocations === undefined ? undefined : { filename: revocations },
        watchedDirectory: { path: directoryOf(authority) },
      },
    },
    needs: [],
    origins,
  };
}

export function certificateSecretName({ certificate, key }: CertificateFiles): string {
  return `file-cert:${certificate}~${key}`;
}

export function authoritySecretName({ authority, revocations }: AuthorityFiles): string {
  return revocations === undefined ? `file-root:${authority}` : `file-root:${authority}~${revocations}`;
}

export function secretRef(name: string): ResourceRef {
  return { typeUrl: SECRET_URL, name };
}

export function sdsConfig(name: string): SdsSecretConfig {
  return { name, sdsConfig: secretSource };
}

/** With a limit, unlike all else: a listener waits for its secrets, and must not wait for one that never comes. */
const secretSource: ConfigSource = { ads: {}, initialFetchTimeout: duration(5000), resourceApiVersion: ApiVersion.V3 };

function directoryOf(path: string): string {
  const slash = path.lastIndexOf('/');
  if (slash < 0) return '.';
  return slash === 0 ? '/' : path.slice(0, slash);
}
