import { cipherSuites as knownSuites } from '../../../apis/mesh/ciphers.ts';
import type { MeshConfig, MeshTlsConfig } from '../../../apis/mesh/mesh-config.ts';
import type { SubjectAltNameMatcher, TlsParameters } from '../../../gen/types.ts';
import { SubjectAltNameMatcher_SanType, TlsParameters_TlsProtocol as Version } from '../../../gen/types.ts';
import { memoByIdentity } from '../../../kit/memo.ts';

/** What mutual TLS between proxies reads of the mesh configuration. */
export type MutualTlsSettings = {
  /** The mesh's own first, then its aliases. */
  readonly trustDomains: readonly string[];
  readonly parameters: TlsParameters;
};

export const mutualTlsSettings = memoByIdentity(
  (mesh: MeshConfig): MutualTlsSettings => ({
    trustDomains: trustDomainsOf(mesh),
    parameters: parametersOf(mesh.meshMTLS),
  }),
);

/** The mesh's own first. An empty name is the default. */
export function trustDomainsOf({
  trustDomain,
  trustDomainAliases,
}: Pick<MeshConfig, 'trustDomain' | 'trustDomainAliases'>): readonly string[] {
  return [...new Set([trustDomain === '' ? 'cluster.local' : trustDomain, ...trustDomainAliases])];
}

function parametersOf({ minProtocolVersion, cipherSuites = [] }: MeshTlsConfig = {}): TlsParameters {
  const usable = [...new Set(cipherSuites)].filter((suite) => knownSuites.has(suite));
  return {
    tlsMinimumProtocolVersion: minProtocolVersion === 'TLSV1_3' ? Version.TLSv1_3 : Version.TLSv1_2,
    tlsMaximumProtocolVersion: Version.TLSv1_3,
    cipherSuites: usable.length === 0 ? undefined : usable,
  };
}

/** Any identity of the mesh. The slash ends the domain, so that `mesh` is not the beginning of `mesh.evil`. */
export function ofTrustDomain(trustDomain: string): SubjectAltNameMatcher {
  return { sanType: SubjectAltNameMatcher_SanType.URI, matcher: { prefix: `spiffe://${trustDomain}/` } };
}
