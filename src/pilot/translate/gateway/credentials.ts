import type { GatewaySecret, SecretBook } from '../../../model/gateway-secret.ts';
import { authorityCandidates, type CredentialName } from '../secret/credential-name.ts';
import { usableSecrets } from '../secret/find-part.ts';
import type { GatewayConnectionPlan } from './gateway-plan.ts';
import type { ServerCertificates } from './read-tls.ts';

/** The Secrets that servers name and that gateways of the namespace may use, in the order in which they are named. */
export function secretsFor(
  connections: readonly GatewayConnectionPlan[],
  book: SecretBook,
  namespace: string,
): readonly GatewaySecret[] {
  const names = connections.flatMap(({ serves }) => namesIn(serves));
  return usableSecrets(names, book, namespace);
}

function namesIn(serves: GatewayConnectionPlan['serves']): readonly CredentialName[] {
  if (serves.kind !== 'https' && serves.kind !== 'tls') return [];
  const { certificates, authority }: ServerCertificates = serves.certificates;
  const pairs = certificates.kind === 'secrets' ? certificates.names : [];
  return authority?.kind === 'secret' ? [...pairs, ...authorityCandidates(authority.name)] : pairs;
}
