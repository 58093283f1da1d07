import type { IssuedIdentity } from './issuer.ts';

/**
 * The files that a stock Envoy needs to prove who it is and to judge others, by name: what Istio's secret `istio.<account>` holds,
 * and two descriptors by which file-based SDS reads it. `folder` is where the proxy sees them.
 */
export function identityFiles(
  { chain, key, roots }: Pick<IssuedIdentity, 'chain' | 'key' | 'roots'>,
  folder: string,
): Readonly<Record<string, string>> {
  return {
    'cert-chain.pem': chain,
    ...(key === undefined ? {} : { 'key.pem': key }),
    'root-cert.pem': roots,
    'sds-cert.yaml': secretFile('default', {
      tls_certificate: {
        certificate_chain: { filename: `${folder}/cert-chain.pem` },
        private_key: { filename: `${folder}/key.pem` },
        watched_directory: { path: folder },
      },
    }),
    'sds-root.yaml': secretFile('ROOTCA', {
      validation_context: { trusted_ca: { filename: `${folder}/root-cert.pem` }, watched_directory: { path: folder } },
    }),
  };
}

/** Where pods have the secret. */
export const IDENTITY_FOLDER = '/etc/certs';

/** JSON, which is YAML too. */
function secretFile(name: string, secret: object): string {
  const type = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret';
  return `${JSON.stringify({ resources: [{ '@type': type, name, ...secret }] }, undefined, 2)}\n`;
}
