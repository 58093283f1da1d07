import type { ClientTls } from '../../../apis/networking/networking.ts';
import type { SubjectAltNameMatcher, TransportSocket } from '../../../gen/types.ts';
import { subjectAltNameMatcher } from '../policy/subject-alt-name.ts';
import { extension } from '../protobuf.ts';
import { type OfferInputs, offeredProtocols } from './alpn.ts';
import { buildIdentityContext } from './identity.ts';
import { type MutualTlsSettings, ofTrustDomain } from './settings.ts';

/** What a client needs for mutual TLS to one cluster. */
export type MutualTlsClient = OfferInputs & {
  /** Of its own certificate; empty where it has none. */
  readonly folder: string;
  readonly settings: MutualTlsSettings;
  /** `outbound_.80_.v1_.reviews.shop.svc.cluster.local`. */
  readonly serverName: string;
  /** Whose the endpoints are, as `accountsOf` gives them. */
  readonly accounts: string;
  /** More names that the server may show. */
  readonly subjectAltNames: readonly string[];
};

/** `tls` is what a DestinationRule says beside the mode. */
export function buildMutualTlsSocket(client: MutualTlsClient, tls: ClientTls = {}): TransportSocket {
  const { folder, settings, serverName } = client;
  return extension('envoy.transport_sockets.tls', 'envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext', {
    commonTlsContext: {
      ...buildIdentityContext(folder, settings, expectedServers(client, tls)),
      alpnProtocols: offeredProtocols(client),
    },
    sni: tls.sni === undefined || tls.sni === '' ? serverName : tls.sni,
  });
}

/** Names that were written have the say; else it must be one of the accounts, or where none is known, anybody of the mesh. */
function expectedServers(client: MutualTlsClient, tls: ClientTls): readonly SubjectAltNameMatcher[] {
  const { settings, subjectAltNames } = client;
  const written = tls.subjectAltNames ?? [];
  if (written.length > 0) return written.map(subjectAltNameMatcher);
  const accounts = client.accounts === '' ? [] : client.accounts.split('\n');
  if (accounts.length + subjectAltNames.length === 0) return settings.trustDomains.map(ofTrustDomain);
  const identities = settings.trustDomains.flatMap((domain) => accounts.map((path) => `spiffe://${domain}/${path}`));
  return [...new Set([...identities, ...subjectAltNames])].map(subjectAltNameMatcher);
}
