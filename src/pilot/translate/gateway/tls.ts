import { isIp } from '../../../apis/address.ts';
import type { ServerTls } from '../../../apis/networking/networking.ts';
import type {
  CertificateValidationContext,
  CommonTlsContext,
  DownstreamTlsContext,
  SubjectAltNameMatcher,
  TlsParameters,
  TransportSocket,
} from '../../../gen/types.ts';
import {
  SubjectAltNameMatcher_SanType as SanType,
  TlsParameters_TlsProtocol as TlsProtocol,
} from '../../../gen/types.ts';
import { err, ok, type Result } from '../../../kit/result.ts';
import type { Origin } from '../../../xds/resource.ts';
import type { Built } from '../built.ts';
import { bool, extension } from '../protobuf.ts';
import {
  type AuthorityFiles,
  authoritySecretName,
  buildAuthoritySecret,
  buildCertificateSecret,
  type CertificateFiles,
  certificateSecretName,
  type SecretType,
  sdsConfig,
} from './file-secret.ts';

/** Where the certificates of a server that ends TLS are. */
export type ServerTlsFiles = {
  readonly certificates: readonly CertificateFiles[];
  /** Who vouches for clients; without, they are not asked. */
  readonly authority: AuthorityFiles | undefined;
};

/** What a server that ends TLS needs, or why it cannot be served. */
export function readServerTls(tls: ServerTls): Result<ServerTlsFiles, string> {
  const certificates = certificateFiles(tls);
  if (!certificates.ok) return certificates;
  const authority = authorityFiles(tls);
  if (!authority.ok) return authority;
  const badPin = findBadPin(tls);
  if (badPin !== undefined) return err(`${badPin} is no hash of a certificate, so no client could be judged by it`);
  return ok({ certificates: certificates.value, authority: authority.value });
}

export type ServerTlsInputs = {
  readonly tls: ServerTls;
  readonly files: ServerTlsFiles;
  /** What is spoken inside: offered to clients that ask. */
  readonly alpn: readonly string[];
  readonly origins: readonly Origin[];
};

export type BuiltServerTls = {
  readonly transportSocket: TransportSocket;
  readonly secrets: readonly Built<SecretType>[];
};

/** The TLS side of a server that ends TLS. */
export function buildServerTls({ tls, files, alpn, origins }: ServerTlsInputs): BuiltServerTls {
  const { certificates, authority } = files;
  const context: DownstreamTlsContext = {
    commonTlsContext: {
      tlsParams: buildParameters(tls),
      tlsCertificateSdsSecretConfigs: certificates.map((pair) => sdsConfig(certificateSecretName(pair))),
      alpnProtocols: alpn,
      ...buildValidation(tls, authority),
    },
    requireClientCertificate: bool(tls.mode === 'MUTUAL'),
  };
  const secrets = certificates.map((pair) => buildCertificateSecret(pair, origins));
  return {
    transportSocket: extension(
      'envoy.transport_sockets.tls',
      'envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
      context,
    ),
    secrets: authority === undefined ? secrets : [...secrets, buildAuthoritySecret(authority, origins)],
  };
}

function certificateFiles(tls: ServerTls): Result<readonly CertificateFiles[], string> {
  const credential = tls.credentialName ?? tls.credentialNames?.[0] ?? '';
  if (credential !== '') {
    return err(
      `credentialName ${credential} is not served yet: certificates come from serverCertificate and privateKey`,
    );
  }
  const listed = tls.tlsCertificates ?? [];
  const pairs = listed.length > 0 ? listed : [tls];
  const files: CertificateFiles[] = [];
  for (const { serverCertificate: certificate = '', privateKey: key = '' } of pairs) {
    if (certificate === '' || key === '')
      return err('the server has no certificate: set serverCertificate and privateKey');
    files.push({ certificate, key });
  }
  return ok(files);
}

function authorityFiles(tls: ServerTls): Result<AuthorityFiles | undefined, string> {
  if (tls.mode !== 'MUTUAL' && tls.mode !== 'OPTIONAL_MUTUAL') return ok(undefined);
  const authority = tls.caCertificates ?? '';
  if (authority !== '') return ok({ authority, revocations: tls.caCrl === '' ? undefined : tls.caCrl });
  if ((tls.caCertCredentialName ?? '') !== '') {
    return err(`caCertCredentialName ${tls.caCertCredentialName} is not served yet: set caCertificates to a file`);
  }
  return err(`mode ${tls.mode} needs caCertificates to judge clients by`);
}

/** Envoy refuses the listener with a pin it cannot read; to leave one out would let others in. */
function findBadPin({ verifyCertificateHash = [], verifyCertificateSpki = [] }: ServerTls): string | undefined {
  const badHash = verifyCertificateHash.find((pin) => !/^[\da-f]{64}$/i.test(pin.replaceAll(':', '')));
  return badHash ?? verifyCertificateSpki.find((pin) => !/^[\w+/]{43}=$/.test(pin));
}

type Validation = Pick<CommonTlsContext, 'combinedValidationContext'>;

function buildValidation(tls: ServerTls, files: AuthorityFiles | undefined): Validation {
  if (files === undefined) return {};
  const defaultValidationContext: CertificateValidationContext = {
    matchTypedSubjectAltNames: tls.subjectAltNames?.map(buildSan),
    verifyCertificateSpki: tls.verifyCertificateSpki,
    verifyCertificateHash: tls.verifyCertificateHash,
  };
  return {
    combinedValidationContext: {
      defaultValidationContext,
      validationContextSdsSecretConfig: sdsConfig(authoritySecretName(files)),
    },
  };
}

/** The name says itself of which kind it is. */
function buildSan(name: string): SubjectAltNameMatcher {
  return { sanType: sanTypeOf(name), matcher: { exact: name } };
}

function sanTypeOf(name: string): SanType {
  if (name.includes('://')) return SanType.URI;
  if (name.includes('@')) return SanType.EMAIL;
  return isIp(name) ? SanType.IP_ADDRESS : SanType.DNS;
}

const versions = {
  TLS_AUTO: TlsProtocol.TLS_AUTO,
  TLSV1_0: TlsProtocol.TLSv1_0,
  TLSV1_1: TlsProtocol.TLSv1_1,
  TLSV1_2: TlsProtocol.TLSv1_2,
  TLSV1_3: TlsProtocol.TLSv1_3,
} as const;

function buildParameters(tls: ServerTls): TlsParameters {
  const least = versions[tls.minProtocolVersion ?? 'TLS_AUTO'];
  const suites = (tls.cipherSuites ?? []).filter((suite) => cipherSuites.has(suite));
  return {
    tlsMinimumProtocolVersion: least === TlsProtocol.TLS_AUTO ? TlsProtocol.TLSv1_2 : least,
    tlsMaximumProtocolVersion: versions[tls.maxProtocolVersion ?? 'TLS_AUTO'],
    cipherSuites: suites.length === 0 ? undefined : [...new Set(suites)],
  };
}

/** All that Envoy knows: it refuses a listener that names another. */
const cipherSuites = new Set(
  `ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-RSA-AES128-GCM-SHA256 ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-RSA-AES256-GCM-SHA384
  ECDHE-ECDSA-CHACHA20-POLY1305 ECDHE-RSA-CHACHA20-POLY1305 ECDHE-PSK-CHACHA20-POLY1305 ECDHE-ECDSA-AES128-SHA
  ECDHE-RSA-AES128-SHA ECDHE-PSK-AES128-CBC-SHA ECDHE-ECDSA-AES256-SHA ECDHE-RSA-AES256-SHA ECDHE-PSK-AES256-CBC-SHA
  AES128-GCM-SHA256 AES256-GCM-SHA384 AES128-SHA AES256-SHA PSK-AES128-CBC-SHA PSK-AES256-CBC-SHA DES-CBC3-SHA`.split(
    /\s+/,
  ),
);
