import type { ServerTls } from '../../../apis/networking/networking.ts';
import { err, ok, type Result } from '../../../kit/result.ts';
import { type CredentialName, parseCredentialName } from '../secret/credential-name.ts';
import type { AuthorityFiles, CertificateFiles } from '../secret/file-secret.ts';

/** Where a server has from what it shows of itself. */
export type CertificateSource =
  | { readonly kind: 'files'; readonly pairs: readonly CertificateFiles[] }
  | { readonly kind: 'secrets'; readonly names: readonly CredentialName[] }
  /** The proxy's own identity in the mesh, with the roots that go with it. */
  | { readonly kind: 'identity' };

/** Where a server has from who vouches for its clients. */
export type AuthoritySource =
  | { readonly kind: 'files'; readonly files: AuthorityFiles }
  | { readonly kind: 'secret'; readonly name: CredentialName };

/** What a server that ends TLS is made of; without an authority, clients are not asked who they are. */
export type ServerCertificates = {
  readonly certificates: CertificateSource;
  readonly authority: AuthoritySource | undefined;
};

/** What a server that ends TLS asks for, or why it cannot be served by anybody. */
export function readServerTls(tls: ServerTls): Result<ServerCertificates, string> {
  const badPin = findBadPin(tls);
  if (badPin !== undefined) return err(`${badPin} is no hash of a certificate, so no client could be judged by it`);
  if (tls.mode === 'ISTIO_MUTUAL') return ok({ certificates: { kind: 'identity' }, authority: undefined });
  const certificates = certificatesOf(tls);
  if (!certificates.ok) return certificates;
  const authority = authorityOf(tls, certificates.value);
  return authority.ok ? ok({ certificates: certificates.value, authority: authority.value }) : authority;
}

function certificatesOf(tls: ServerTls): Result<CertificateSource, string> {
  const credentials = credentialsOf(tls);
  if (credentials.length > 0) return namedCertificates(credentials);
  const listed = tls.tlsCertificates ?? [];
  const pairs: CertificateFiles[] = [];
  for (const { serverCertificate: certificate = '', privateKey: key = '' } of listed.length > 0 ? listed : [tls]) {
    if (certificate === '' || key === '')
      return err('the server has no certificate: set credentialName, or serverCertificate and privateKey');
    pairs.push({ certificate, key });
  }
  return ok({ kind: 'files', pairs });
}

function credentialsOf({ credentialName = '', credentialNames = [] }: ServerTls): readonly string[] {
  return credentialNames.length > 0 ? credentialNames : [credentialName].filter((name) => name !== '');
}

function namedCertificates(credentials: readonly string[]): Result<CertificateSource, string> {
  const names: CredentialName[] = [];
  for (const text of credentials) {
    const parsed = parseCredentialName(text);
    if (!parsed.ok) return err(`credentialName ${text} ${parsed.error}`);
    if (parsed.value.name.endsWith('-cacert'))
      return err(
        `credentialName ${text} is the name of authorities: give the Secret of the pair a name without -cacert`,
      );
    names.push(parsed.value);
  }
  return ok({ kind: 'secrets', names });
}

function authorityOf(tls: ServerTls, certificates: CertificateSource): Result<AuthoritySource | undefined, string> {
  if (tls.mode !== 'MUTUAL' && tls.mode !== 'OPTIONAL_MUTUAL') return ok(undefined);
  const { caCertCredentialName = '', caCertificates = '', caCrl = '' } = tls;
  if (caCertCredentialName !== '') {
    const parsed = parseCredentialName(caCertCredentialName);
    return parsed.ok
      ? ok({ kind: 'secret', name: parsed.value })
      : err(`caCertCredentialName ${caCertCredentialName} ${parsed.error}`);
  }
  const [first] = certificates.kind === 'secrets' ? certificates.names : [];
  if (first !== undefined) return ok({ kind: 'secret', name: first });
  if (caCertificates === '') return err(`mode ${tls.mode} needs caCertificates to judge clients by`);
  return ok({ kind: 'files', files: { authority: caCertificates, revocations: caCrl === '' ? undefined : caCrl } });
}

/** Envoy refuses the listener with a pin it cannot read; to leave one out would let others in. */
function findBadPin({ verifyCertificateHash = [], verifyCertificateSpki = [] }: ServerTls): string | undefined {
  const badHash = verifyCertificateHash.find((pin) => !/^[\da-f]{64}$/i.test(pin.replaceAll(':', '')));
  return badHash ?? verifyCertificateSpki.find((pin) => !/^[\w+/]{43}=$/.test(pin));
}
