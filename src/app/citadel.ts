import { Authority, type AuthorityDeps } from '../citadel/authority/authority.ts';
import { evidenceIn, evidenceToldIn, type FindEvidence, noEvidence } from '../citadel/authority/evidence.ts';
import { FolderSource } from '../citadel/authority/folder-source.ts';
import { MemoryStore } from '../citadel/authority/memory-store.ts';
import { RootFile } from '../citadel/authority/root-file.ts';
import { SecretStore } from '../citadel/authority/secret-store.ts';
import type { TrustDomainSource } from '../citadel/authority/trust-domain.ts';
import { Citadel } from '../citadel/citadel.ts';
import type { IssuerSource } from '../citadel/issuer.ts';
import type { Galley } from '../galley/galley.ts';
import type { AssembleInputs } from './assemble.ts';
import type { Cluster } from './cluster.ts';
import { makeIdentities } from './identities.ts';

/**
 * Identities, where this process has to do with them: whoever runs the controller gives them to others; who only serves proxies over
 * TLS reads what signs, for a certificate of its own, and writes nothing.
 */
export function makeCitadel(inputs: AssembleInputs, cluster: Cluster | undefined, galley: Galley): Citadel | undefined {
  const { config, issuer } = inputs;
  const issues = config.controllers.includes('citadel');
  if (!issues && config.xds === undefined) return undefined;
  const identities = (issuers: IssuerSource) => (issues ? makeIdentities(inputs, cluster, issuers) : []);
  if (issuer !== undefined) return new Citadel({ issuer, issues, problem: () => undefined, parts: identities(issuer) });
  const authority = makeAuthority(inputs, cluster, galley);
  const parts = [authority, ...identities(authority)];
  return new Citadel({ issuer: authority, issues, problem: () => authority.problem(), parts });
}

function makeAuthority(inputs: AssembleInputs, cluster: Cluster | undefined, galley: Galley): Authority {
  const { config, clock, metrics } = inputs;
  const log = inputs.log.child({ component: 'citadel' });
  const { rootCertFile } = config;
  return new Authority({
    ...stores(inputs, cluster),
    evidence: evidence(inputs, cluster),
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

/** Who makes no root need not know whether workloads have one already; only which one the mesh was told of. */
function evidence({ config }: AssembleInputs, cluster: Cluster | undefined): FindEvidence {
  if (cluster === undefined) return noEvidence;
  return config.controllers.includes('citadel')
    ? evidenceIn(cluster.api, config.namespace, config.listenedNamespaces)
    : evidenceToldIn(cluster.api, config.namespace);
}

/** A cluster keeps what we make; without one only memory does, and a folder that was named is waited for. */
function stores(
  { config, clock }: AssembleInputs,
  cluster: Cluster | undefined,
): Pick<AuthorityDeps, 'plugged' | 'own' | 'keeps'> {
  const { caCertsFolder, namespace } = config;
  const folder = caCertsFolder === undefined ? undefined : new FolderSource(caCertsFolder, clock);
  if (cluster === undefined)
    return { plugged: folder, own: folder === undefined ? new MemoryStore() : undefined, keeps: true };
  const { api: kube, reflect } = cluster;
  const secret = (name: string): SecretStore => new SecretStore({ kube, reflect, namespace, secret: name });
  const keeps = config.controllers.includes('citadel');
  return { plugged: folder ?? secret('cacerts'), own: secret('istio-ca-secret'), keeps };
}

function trustDomainSource(galley: Galley): TrustDomainSource {
  return {
    current: () => galley.snapshot()?.mesh.trustDomain,
    onChange: (listener) => galley.onChange(listener),
  };
}
