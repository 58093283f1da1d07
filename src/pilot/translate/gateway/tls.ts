import { isIp } from '../../../apis/address.ts';
import type { ServerTls } from '../../../apis/networking/networking.ts';
import type {
  CertificateValidationContext,
  CommonTlsContext,
  DownstreamTlsContext,
  SdsSecretConfig,
  SubjectAltNameMatcher,
  TransportSocket,
} from '../../../gen/types.ts';
import { SubjectAltNameMatcher_SanType as SanType } from '../../../gen/types.ts';
import { err, ok, type Result } from '../../../kit/result.ts';
import type { GatewaySecret } from '../../../model/gateway-secret.ts';
import type { Origin } from '../../../xds/resource.ts';
import { type Built, originOf } from '../built.ts';
import { buildIdentityContext } from '../peer/identity.ts';
import { type MutualTlsSettings, ofTrustDomain } from '../peer/settings.ts';
import { bool, extension } from '../protobuf.ts';
import { authorityCandidates, authorityResourceName, pairResourceName } from '../secret/credential-name.ts';
import {
  authoritySecretName,
  buildAuthoritySecret,
  buildCertificateSecret,
  certificateSecretName,
  type SecretType,
  sdsConfig,
} from '../secret/file-secret.ts';
import { type CredentialSite, findPart } from '../secret/find-part.ts';
import { buildInlineAuthority, buildPairSecret } from '../secret/inline-secret.ts';
import type { AuthoritySource, CertificateSource, ServerCertificates } from './read-tls.ts';
import { buildTlsParameters, type TlsDefaults } from './tls-parameters.ts';

/** What of a gateway, and of the mesh, ends TLS. */
export type ServerTlsSite = CredentialSite & {
  /** Where the gateway has its own identity; empty where it has none. */
  readonly identityFolder: string;
  readonly mutualTls: MutualTlsSettings;
  readonly tlsDefaults: TlsDefaults;
};

export type ServerTlsInputs = {
  readonly tls: ServerTls;
  readonly certificates: ServerCertificates;
  readonly site: ServerTlsSite;
  /** What is spoken inside: offered to clients that ask. */
  readonly alpn: readonly string[];
  readonly origins: readonly Origin[];
};

/** When a certificate ends, and what is to be said from then on. */
export type Ending = { readonly at: number; readonly message: string };

export type BuiltServerTls = {
  readonly transportSocket: TransportSocket;
  readonly secrets: readonly Built<SecretType>[];
  /** Secrets whose newest version is not in force, and why. */
  readonly troubles: readonly string[];
  readonly endings: readonly Ending[];
};

/** The TLS side of a server that ends TLS; or why it cannot be served now. */
export function buildServerTls(inputs: ServerTlsInputs): Result<BuiltServerTls, string> {
  const { tls, certificates, site } = inputs;
  if (certificates.certificates.kind === 'identity') return buildWithIdentity(inputs);
  const own = useCertificates(certificates.certificates, inputs);
  if (!own.ok) return own;
  const authority = certificates.authority && useAuthority(certificates.authority, inputs);
  if (authority?.ok === false) return authority;
  const clients = authority?.value;
  const context: CommonTlsContext = {
    tlsParams: buildTlsParameters(tls, site.tlsDefaults),
    tlsCertificateSdsSecretConfigs: own.value.configs,
    alpnProtocols: inputs.alpn,
    ...(clients === undefined ? {} : buildValidation(tls, clients.config)),
  };
  return ok({
    transportSocket: socket({ commonTlsContext: context, requireClientCertificate: bool(tls.mode === 'MUTUAL') }),
    secrets: [...own.value.secrets, ...(clients?.secrets ?? [])],
    troubles: [...own.value.troubles, ...(clients?.troubles ?? [])],
    endings: own.value.endings,
  });
}

function buildWithIdentity({ tls, site, alpn }: ServerTlsInputs): Result<BuiltServerTls, string> {
  const { identityFolder, mutualTls } = site;
  if (identityFolder === '') return err('tls.mode ISTIO_MUTUAL is not served: the gateway has no identity of the mesh');
  const peers = tls.subjectAltNames?.length
    ? tls.subjectAltNames.map(buildSan)
    : mutualTls.trustDomains.map(ofTrustDomain);
  const context: CommonTlsContext = {
    ...buildIdentityContext(identityFolder, mutualTls, peers),
    tlsParams: { ...mutualTls.parameters, ...saidOf(tls) },
    alpnProtocols: alpn,
  };
  const transportSocket = socket({ commonTlsContext: context, requireClientCertificate: bool(true) });
  return ok({ transportSocket, secrets: [], troubles: [], endings: [] });
}

/** What a server says of versions and ciphers itself. */
function saidOf(tls: ServerTls): Partial<ReturnType<typeof buildTlsParameters>> {
  const { tlsMinimumProtocolVersion, ...parameters } = buildTlsParameters(tls, {});
  const all = tls.minProtocolVersion === undefined ? parameters : { tlsMinimumProtocolVersion, ...parameters };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined && value !== 0));
}

type Used = Omit<BuiltServerTls, 'transportSocket'>;

function useCertificates(
  source: Exclude<CertificateSource, { readonly kind: 'identity' }>,
  { site, origins }: ServerTlsInputs,
): Result<Used & { readonly configs: readonly SdsSecretConfig[] }, string> {
  if (source.kind === 'files') {
    return ok({
      configs: source.pairs.map((pair) => sdsConfig(certificateSecretName(pair))),
      secrets: source.pairs.map((pair) => buildCertificateSecret(pair, origins)),
      troubles: [],
      endings: [],
    });
  }
  const secrets: Built<SecretType>[] = [];
  const troubles: string[] = [];
  const endings: Ending[] = [];
  for (const name of source.names) {
    const found = findPart('pair', [name], site);
    if (found.kind === 'missing') return err(found.reason);
    const { secret, value, problem } = found;
    secrets.push(buildPairSecret(pairResourceName(name), value, [...origins, originOfSecret(secret)]));
    if (problem !== undefined) troubles.push(troubleOf(secret, problem));
    endings.push({ at: value.expiresAt, message: endedOf(secret, value.expiresAt) });
  }
  return ok({ configs: secrets.map(({ name }) => sdsConfig(name)), secrets, troubles, endings });
}

function useAuthority(
  source: AuthoritySource,
  { site, origins }: ServerTlsInputs,
): Result<Omit<Used, 'endings'> & { readonly config: SdsSecretConfig }, string> {
  if (source.kind === 'files') {
    const secrets = [buildAuthoritySecret(source.files, origins)];
    return ok({ config: sdsConfig(authoritySecretName(source.files)), secrets, troubles: [] });
  }
  const found = findPart('authority', authorityCandidates(source.name), site);
  if (found.kind === 'missing') return err(found.reason);
  const { secret, value, problem } = found;
  const name = authorityResourceName(source.name);
  const secrets = [buildInlineAuthority(name, value, [...origins, originOfSecret(secret)])];
  return ok({ config: sdsConfig(name), secrets, troubles: problem === undefined ? [] : [troubleOf(secret, problem)] });
}

function originOfSecret({ ref }: GatewaySecret): Origin {
  return originOf(ref, 'spec');
}

function troubleOf({ ref }: GatewaySecret, problem: string): string {
  return `Secret ${ref.namespace}/${ref.name} cannot be used as it is now: ${problem}; the version from before stays in force`;
}

function endedOf({ ref }: GatewaySecret, at: number): string {
  return `a certificate in Secret ${ref.namespace}/${ref.name} ended at ${new Date(at).toISOString()}: clients refuse it, so renew it`;
}

type Validation = Pick<CommonTlsContext, 'combinedValidationContext'>;

function buildValidation(tls: ServerTls, authority: SdsSecretConfig): Validation {
  const defaultValidationContext: CertificateValidationContext = {
    matchTypedSubjectAltNames: tls.subjectAltNames?.map(buildSan),
    verifyCertificateSpki: tls.verifyCertificateSpki,
    verifyCertificateHash: tls.verifyCertificateHash,
  };
  return { combinedValidationContext: { defaultValidationContext, validationContextSdsSecretConfig: authority } };
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

function socket(context: DownstreamTlsContext): TransportSocket {
  return extension(
    'envoy.transport_sockets.tls',
    'envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
    context,
  );
}
