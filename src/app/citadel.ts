import { Authority } from '../citadel/authority/authority.ts';
import type { TrustDomainSource } from '../citadel/authority/trust-domain.ts';
import { Citadel } from '../citadel/citadel.ts';
import type { Galley } from '../galley/galley.ts';
import type { AssembleInputs } from './assemble.ts';
import type { Cluster } from './cluster.ts';

/** Identities, where this process has to do with them. */
export function makeCitadel(
  inputs: AssembleInputs,
  _cluster: Cluster | undefined,
  galley: Galley,
): Citadel | undefined {
  const { config, issuer, clock, metrics } = inputs;
  if (!config.controllers.includes('citadel')) return undefined;
  if (issuer !== undefined) return new Citadel({ issuer, problem: () => undefined, parts: [] });
  const log = inputs.log.child({ component: 'citadel' });
  const trustDomain = trustDomainSource(galley);
  const authority = new Authority({ trustDomain, rootLifetimeMs: config.caCertTtlMs, clock, log, metrics });
  return new Citadel({ issuer: authority, problem: () => authority.problem(), parts: [authority] });
}

function trustDomainSource(galley: Galley): TrustDomainSource {
  return {
    current: () => galley.snapshot()?.mesh.trustDomain,
    onChange: (listener) => galley.onChange(listener),
  };
}
