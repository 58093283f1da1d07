import type { Cluster, Cluster_TransportSocketMatch, TransportSocket } from '../../../gen/types.ts';
import { buildMutualTlsSocket, type MutualTlsClient } from '../peer/client.ts';
import { buildClientTransport, type ClientTransport, rawBuffer, withProxyProtocol } from '../policy/client-tls.ts';
import type { EffectivePolicy } from '../policy/effective-policy.ts';
import type { UpstreamHttp } from '../policy/http-protocol.ts';
import { struct } from '../protobuf.ts';
import type { Discovery } from './discovery.ts';
import type { OutboundClusterInputs } from './outbound.ts';

export type TransportInputs = Pick<
  OutboundClusterInputs,
  'service' | 'port' | 'kind' | 'defaults' | 'identityFolder' | 'accounts' | 'allTakeMutualTls' | 'credentials'
> & {
  readonly subset: string;
  readonly policy: EffectivePolicy;
  readonly speaks: UpstreamHttp;
  readonly discovery: Discovery;
};

/** What a policy says about TLS, else mutual TLS wherever both ends can. A gRPC client brings its own credentials. */
export function chooseTransport(inputs: TransportInputs): ClientTransport {
  const { service, policy, speaks, defaults, kind } = inputs;
  if (kind === 'proxyless') return { kind: 'plaintext' };
  const mutual = mutualTlsClient(inputs);
  if (policy.tls === undefined) return usesMutualTls(inputs) ? chooseAutomatic(inputs, mutual) : { kind: 'plaintext' };
  return buildClientTransport({
    tls: policy.tls.spec,
    subjectAltNames: service.subjectAltNames,
    http2: speaks === 'http2',
    verifyByDefault: defaults.verifyServers,
    mutual,
    credentials: inputs.credentials,
  });
}

function usesMutualTls({ service, defaults, identityFolder }: TransportInputs): boolean {
  return defaults.autoMutualTls && identityFolder !== '' && !service.meshExternal;
}

/**
 * Endpoints say whether they take mutual TLS. An address that was dialled says nothing, so there all that are known must; and names that
 * requests bring along are nobody's.
 */
function chooseAutomatic({ discovery, allTakeMutualTls }: TransportInputs, mutual: MutualTlsClient): ClientTransport {
  switch (discovery) {
    case 'original-dst':
      return allTakeMutualTls
        ? { kind: 'tls', socket: buildMutualTlsSocket(mutual), fromHost: undefined, credential: undefined }
        : { kind: 'plaintext' };
    case 'dynamic-dns':
      return { kind: 'plaintext' };
    case 'eds':
    case 'dns':
    case 'logical-dns':
    case 'nowhere':
      return { kind: 'by-endpoint', socket: buildMutualTlsSocket(mutual) };
  }
}

function mutualTlsClient(inputs: TransportInputs): MutualTlsClient {
  const { service, port, subset, speaks, defaults, identityFolder, accounts } = inputs;
  return {
    folder: identityFolder,
    settings: defaults.mutualTls,
    serverName: `outbound_.${port.port}_.${subset}_.${service.hostname}`,
    accounts,
    subjectAltNames: service.subjectAltNames,
    protocol: port.protocol,
    speaks,
  };
}

export function buildTransportFields(
  transport: ClientTransport,
  policy: EffectivePolicy,
): Pick<Cluster, 'transportSocket' | 'transportSocketMatches'> {
  switch (transport.kind) {
    case 'by-endpoint':
      return { transportSocketMatches: matchesOf(transport.socket, policy) };
    case 'tls':
      return { transportSocket: wrapped(transport.socket, policy) };
    case 'plaintext':
    case 'refused':
      return { transportSocket: wrapped(undefined, policy) };
  }
}

function matchesOf(socket: TransportSocket, policy: EffectivePolicy): readonly Cluster_TransportSocketMatch[] {
  return [
    { name: 'tlsMode-istio', match: struct({ tlsMode: 'istio' }), transportSocket: wrapped(socket, policy) },
    { name: 'tlsMode-disabled', match: {}, transportSocket: wrapped(undefined, policy) ?? rawBuffer() },
  ];
}

function wrapped(socket: TransportSocket | undefined, { proxyProtocol }: EffectivePolicy): TransportSocket | undefined {
  return proxyProtocol === undefined ? socket : withProxyProtocol(socket, proxyProtocol.spec.version ?? 'V1');
}
