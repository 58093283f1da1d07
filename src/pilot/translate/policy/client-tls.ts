import type { ClientTls } from '../../../apis/networking/networking.ts';
import type {
  CertificateValidationContext,
  CommonTlsContext,
  SdsSecretConfig,
  TransportSocket,
  UpstreamHttpProtocolOptions,
} from '../../../gen/types.ts';
import {
  CertificateValidationContext_TrustChainVerification,
  ProxyProtocolConfig_Version,
} from '../../../gen/types.ts';
import { buildMutualTlsSocket, type MutualTlsClient } from '../peer/client.ts';
import { extension } from '../protobuf.ts';
import type { CredentialSite } from '../secret/find-part.ts';
import { type ClientSecrets, useClientSecrets } from './client-secrets.ts';
import { subjectAltNameMatcher } from './subject-alt-name.ts';

/** How a client speaks to the endpoints of a cluster. */
export type ClientTransport =
  | { readonly kind: 'plaintext' }
  | {
      readonly kind: 'tls';
      readonly socket: TransportSocket;
      /** Takes server name and expected SAN from the request's host, where the policy names none. */
      readonly fromHost: UpstreamHttpProtocolOptions | undefined;
      /** What it takes from a Secret, where it does. */
      readonly credential: ClientSecrets | undefined;
    }
  /** Mutual TLS with the endpoints that take it, plaintext with the others. */
  | { readonly kind: 'by-endpoint'; readonly socket: TransportSocket }
  /** The policy asks for TLS that cannot be had. Plaintext instead would betray it, so the cluster leads nowhere. */
  | { readonly kind: 'refused'; readonly reason: string };

export type ClientTlsInputs = {
  readonly tls: ClientTls | undefined;
  /** Expected of the server when the policy lists no names. */
  readonly subjectAltNames: readonly string[];
  readonly http2: boolean;
  /** Whether a server is verified with the machine's own roots when the policy names no CA. */
  readonly verifyByDefault: boolean;
  /** For mutual TLS of the mesh. */
  readonly mutual: MutualTlsClient;
  /** For a policy that names a Secret; undefined where the client uses none, and so has files alone. */
  readonly credentials: CredentialSite | undefined;
};

/** Where Envoy's own images, and Debian, keep the machine's root certificates. */
const MACHINE_ROOTS = '/etc/ssl/certs/ca-certificates.crt';

export function buildClientTransport(inputs: ClientTlsInputs): ClientTransport {
  const { tls } = inputs;
  switch (tls?.mode ?? 'DISABLE') {
    case 'DISABLE':
      return { kind: 'plaintext' };
    case 'ISTIO_MUTUAL':
      return buildOwnIdentity(tls ?? {}, inputs.mutual);
    case 'SIMPLE':
    case 'MUTUAL':
      return isSet(tls?.credentialName) && inputs.credentials !== undefined
        ? buildFromSecrets(tls, inputs, inputs.credentials)
        : buildFromFiles(tls ?? {}, inputs);
  }
}

function buildOwnIdentity(tls: ClientTls, mutual: MutualTlsClient): ClientTransport {
  if (mutual.folder === '') return refused('the proxy has no certificates of its own for ISTIO_MUTUAL');
  return { kind: 'tls', socket: buildMutualTlsSocket(mutual, tls), fromHost: undefined, credential: undefined };
}

function buildFromFiles(tls: ClientTls, inputs: ClientTlsInputs): ClientTransport {
  const missing = whatIsMissing(tls);
  if (missing !== undefined) return refused(missing);
  const names = tls.subjectAltNames?.length ? tls.subjectAltNames : inputs.subjectAltNames;
  const validation = buildValidation(tls, names, inputs.verifyByDefault);
  const commonTlsContext: CommonTlsContext = {
    ...(validation === undefined ? {} : { validationContext: validation }),
    tlsCertificates: tls.mode === 'MUTUAL' ? [clientCertificate(tls)] : undefined,
    alpnProtocols: inputs.http2 ? ['h2'] : undefined,
  };
  const verifiesHost = validation?.trustedCa !== undefined && names.length === 0;
  return { ...buildSocket(tls, commonTlsContext, verifiesHost), credential: undefined };
}

function buildFromSecrets(tls: ClientTls, inputs: ClientTlsInputs, site: CredentialSite): ClientTransport {
  const used = useClientSecrets(tls, site);
  if (!used.ok) return refused(used.error);
  const { pair, authority } = used.value;
  const names = tls.subjectAltNames?.length ? tls.subjectAltNames : inputs.subjectAltNames;
  const trusted = tls.insecureSkipVerify === true ? undefined : authority;
  const ownRoots = buildValidation({ ...tls, caCertificates: '' }, names, inputs.verifyByDefault);
  const commonTlsContext: CommonTlsContext = {
    ...(trusted === undefined ? { validationContext: ownRoots } : buildTrust(trusted, names)),
    tlsCertificateSdsSecretConfigs: pair === undefined ? undefined : [pair],
    alpnProtocols: inputs.http2 ? ['h2'] : undefined,
  };
  const verifies = trusted !== undefined || ownRoots?.trustedCa !== undefined;
  return { ...buildSocket(tls, commonTlsContext, verifies && names.length === 0), credential: used.value };
}

function buildTrust(
  validationContextSdsSecretConfig: SdsSecretConfig,
  names: readonly string[],
): Pick<CommonTlsContext, 'combinedValidationContext'> {
  const matchTypedSubjectAltNames = names.length === 0 ? undefined : names.map(subjectAltNameMatcher);
  return {
    combinedValidationContext: {
      defaultValidationContext: { matchTypedSubjectAltNames },
      validationContextSdsSecretConfig,
    },
  };
}

function buildSocket(
  tls: ClientTls,
  commonTlsContext: CommonTlsContext,
  verifiesHost: boolean,
): Omit<Extract<ClientTransport, { readonly kind: 'tls' }>, 'credential'> {
  const type = 'envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext';
  const sni = isSet(tls.sni) ? tls.sni : undefined;
  return {
    kind: 'tls',
    socket: extension('envoy.transport_sockets.tls', type, { commonTlsContext, sni }),
    fromHost: sni === undefined ? serverFromHost(verifiesHost) : undefined,
  };
}

function whatIsMissing(tls: ClientTls): string | undefined {
  if (tls.mode !== 'MUTUAL' || (isSet(tls.clientCertificate) && isSet(tls.privateKey))) return undefined;
  return isSet(tls.credentialName)
    ? 'credentialName is for gateways, and for sidecars that the rule names by workloadSelector; others need clientCertificate and privateKey'
    : 'MUTUAL needs clientCertificate and privateKey';
}

function serverFromHost(verifiesHost: boolean): UpstreamHttpProtocolOptions {
  return verifiesHost ? { autoSni: true, autoSanValidation: true } : { autoSni: true };
}

function buildValidation(
  tls: ClientTls,
  names: readonly string[],
  verifyByDefault: boolean,
): CertificateValidationContext | undefined {
  if (tls.insecureSkipVerify === true)
    return { trustChainVerification: CertificateValidationContext_TrustChainVerification.ACCEPT_UNTRUSTED };
  const authority = isSet(tls.caCertificates) ? tls.caCertificates : verifyByDefault ? MACHINE_ROOTS : undefined;
  if (authority === undefined) return undefined;
  return {
    trustedCa: { filename: authority },
    matchTypedSubjectAltNames: names.length === 0 ? undefined : names.map(subjectAltNameMatcher),
    crl: isSet(tls.caCrl) ? { filename: tls.caCrl } : undefined,
  };
}

function clientCertificate(tls: ClientTls): NonNullable<CommonTlsContext['tlsCertificates']>[number] {
  return {
    certificateChain: { filename: tls.clientCertificate ?? '' },
    privateKey: { filename: tls.privateKey ?? '' },
  };
}

/** The PROXY protocol's header goes before whatever else is sent. */
export function withProxyProtocol(
  inner: TransportSocket | undefined,
  version: keyof typeof ProxyProtocolConfig_Version,
): TransportSocket {
  return extension(
    'envoy.transport_sockets.upstream_proxy_protocol',
    'envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport',
    {
      config: { version: ProxyProtocolConfig_Version[version] },
      transportSocket: inner ?? rawBuffer(),
    },
  );
}

export function rawBuffer(): TransportSocket {
  return extension(
    'envoy.transport_sockets.raw_buffer',
    'envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer',
    {},
  );
}

function refused(reason: string): ClientTransport {
  return { kind: 'refused', reason };
}

function isSet(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}
