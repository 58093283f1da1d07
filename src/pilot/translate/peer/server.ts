import type { TransportSocket } from '../../../gen/types.ts';
import { bool, extension } from '../protobuf.ts';
import { buildIdentityContext } from './identity.ts';
import { type MutualTlsSettings, ofTrustDomain } from './settings.ts';

/** Ends mutual TLS: whoever comes must show an identity of the mesh. */
export function buildMutualTlsServer(folder: string, settings: MutualTlsSettings): TransportSocket {
  return extension('envoy.transport_sockets.tls', 'envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext', {
    commonTlsContext: {
      ...buildIdentityContext(folder, settings, settings.trustDomains.map(ofTrustDomain)),
      alpnProtocols: ['h2', 'http/1.1'],
    },
    requireClientCertificate: bool(true),
  });
}
