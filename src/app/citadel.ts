import { Authority } from '../citadel/authority/authority.ts';
import { evidenceIn, noEvidence } from '../citadel/authority/evidence.ts';
import { FolderSource } from '../citadel/authority/folder-source.ts';
import { MemoryStore } from '../citadel/authority/memory-store.ts';
import { RootFile } from '../citadel/authority/root-file.ts';
import { SecretStore } from '../citadel/authority/secret-store.ts';
import type { TrustDomainSource } from '../citadel/authority/trust-domain.ts';
import { Citadel } from '../citadel/citadel.ts';
import type { Galley } from '../galley/galley.ts';
import type { AssembleInputs } from './assemble.ts';
import type { Cluster } from './cluster.ts';
import { makeIdentities } from './identities.ts';

/** Identities, where this process has to do with them. */
export function makeCitadel(inputs: AssembleInputs, cluster: Cluster | undefined, galley: Galley): Citadel | undefined {
  const { config, issuer } = inputs;
  if (!config.controllers.includes('citadel')) return undefined;
  if (issuer !== undefined)
    return new Citadel({ issuer, problem: () => undefined, parts: makeIdentities(inputs, cluster, issuer) });
  const authority = makeAuthority(inputs, cluster, galley);
  const parts = [authority, ...makeIdentities(inputs, cluster, authority)];
  return new Citadel({ issuer: authority, problem: () => authority.problem(), parts });
}

function makeAuthority(inputs: AssembleInputs, cluster: Cluster | undefined, galley: Galley): Authority {
  const { config, clock, metrics } = inputs;
  const log = inputs.log.child({ component: 'citadel' });
  const { rootCertFile, namespace } = config;
  return new Authority({
    ...stores(inputs, cluster),
    evidence: cluster === undefined ? noEvidence : evidenceIn(cluster.api, namespace, config.listenedNamespaces),
    rootFile: rootCertFile === undefined ? undefined : new RootFile(rootCertFile),
    trustDomain: trustDomainSource(galley),
    isLeader: () => cluster?.leadership.isLeader ?? true,
    times: {
      rootLifetimeMs: config.caCertTtlMs,
      announceMs: config.rootAnnounceMs,
      longestLeafMs: config.maxWorkloadCertTtlMs,
    },
    clock,
    log,
    metrics,
  });
}

/** A cluster keeps what we make; without one only memory does, and a folder that was named is waited for. */
function stores(
  { config, clock }: AssembleInputs,
  cluster: Cluster | undefined,
): Pick<ConstructorParameters<typeof Authority>[0], 'plugged' | 'own'> {
  const { caCertsFolder, namespace } = config;
  const folder = caCertsFolder === undefined ? undefined : new FolderSource(caCertsFolder, clock);
  if (cluster === undefined) return { plugged: folder, own: folder === undefined ? new MemoryStore() : undefined };
  const { api: kube, reflect } = cluster;
  const secret = (name: string): SecretStore => new SecretStore({ kube, reflect, namespace, secret: name });
  return { plugged: folder ?? secret('cacerts'), own: secret('istio-ca-secret') };
}

function trustDomainSource(galley: Galley): TrustDomainSource {
  return {
    current: () => galley.snapshot()?.mesh.trustDomain,
    onChange: (listener) => galley.onChange(listener),
  };
}
