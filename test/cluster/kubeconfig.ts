import type { Certificate } from '../support/certificates.ts';

export type Credentials =
  | { readonly kind: 'certificate'; readonly certificate: Certificate }
  | { readonly kind: 'token'; readonly token: string };

export type KubeconfigInputs = {
  readonly server: string;
  readonly authority: string;
  readonly credentials: Credentials;
};

/** A kubeconfig with everything inside; JSON is YAML. */
export function buildKubeconfig({ server, authority, credentials }: KubeconfigInputs): string {
  const cluster = { server, 'certificate-authority-data': encode(authority) };
  const user =
    credentials.kind === 'token'
      ? { token: credentials.token }
      : {
          'client-certificate-data': encode(credentials.certificate.certificate),
          'client-key-data': encode(credentials.certificate.key),
        };
  const name = 'test';
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  });
}

function encode(pem: string): string {
  return Buffer.from(pem).toString('base64');
}
