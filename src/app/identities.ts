import type { IssuerSource } from '../citadel/issuer.ts';
import { RootPublisher } from '../citadel/roots/root-publisher.ts';
import { SecretController } from '../citadel/secrets/secret-controller.ts';
import type { Runnable } from '../kit/run-group.ts';
import type { AssembleInputs } from './assemble.ts';
import type { Cluster } from './cluster.ts';

/** Below, a certificate that cannot be renewed for a while ends; above, it is renewed for the most of its life. */
const SOUND_RATIO = { from: 0.2, to: 0.8 };

/** What gives a cluster's accounts their identities, and its namespaces the roots. Elsewhere nobody has to be given any. */
export function makeIdentities(
  inputs: AssembleInputs,
  cluster: Cluster | undefined,
  issuers: IssuerSource,
): readonly Runnable[] {
  if (cluster === undefined) return [];
  const { config, clock, random, metrics } = inputs;
  const log = inputs.log.child({ component: 'citadel' });
  const { api: kube, reflect, leadership, events } = cluster;
  const { workloadCertGracePeriodRatio: graceRatio } = config;
  if (graceRatio < SOUND_RATIO.from || graceRatio > SOUND_RATIO.to)
    log.warn({ graceRatio, ...SOUND_RATIO }, '--workload-cert-grace-period-ratio is outside of what is sound');
  const rules = {
    ownNamespace: config.namespace,
    listened: config.listenedNamespaces,
    enabledByDefault: config.citadelEnableNamespacesByDefault,
    graceRatio,
    minGraceMs: config.workloadCertMinGraceMs,
    lifetimeMs: config.workloadCertTtlMs,
  };
  const common = { kube, reflect, leadership, issuers, rules, clock, random, log, metrics };
  return [new RootPublisher(common), new SecretController({ ...common, events })];
}
