import { parseSpiffeId, spiffeId } from '../../model/identity.ts';

/** Where the trust domain comes from: it is known once the mesh is, and may change with it. */
export interface TrustDomainSource {
  current(): string | undefined;
  /** Returns how to stop. */
  onChange(listener: () => void): () => void;
}

/** As it stands in SPIFFE identities. Accounts of clouds are trust domains too: `@` is no letter of one, and becomes a dot. */
export function trustDomainOf(text: string): string | undefined {
  const trustDomain = (text === '' ? 'cluster.local' : text).replaceAll('@', '.');
  return parseSpiffeId(spiffeId({ trustDomain, namespace: 'a', serviceAccount: 'a' })) && trustDomain;
}
