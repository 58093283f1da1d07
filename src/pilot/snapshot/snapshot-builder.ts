import { latest, sameFields, sameItems } from '../../kit/memo.ts';
import type { ConfigSnapshot } from '../../model/config-snapshot.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { KeyBook } from '../../model/mesh-security.ts';
import type { MeshSnapshot } from '../../model/mesh-snapshot.ts';
import { collectDiagnostics } from '../registry/diagnose.ts';
import { Registry, type RegistryOptions } from '../registry/registry.ts';
import { keepIfSameValue } from '../registry/same-value.ts';
import { SecretIndex } from '../secrets/secret-index.ts';
import { tellUnservedTargets } from '../security/access-targets.ts';
import { reportPeers } from '../security/peer-report.ts';
import { ConfigFilter } from './config-filter.ts';
import { DestinationRuleIndex } from './destination-rule-index.ts';
import { SecurityIndex } from './security-index.ts';
import { VirtualServiceIndex } from './virtual-service-index.ts';

const noKeys: KeyBook = new Map();

export type BuiltSnapshot = {
  readonly snapshot: MeshSnapshot;
  /** What objects say that only the whole mesh can tell to be wrong. All that there is now, in a fixed order. */
  readonly diagnostics: readonly Diagnostic[];
};

/**
 * Builds the mesh snapshot of a configuration. The result depends on the configuration alone, except for the last good version of a
 * Secret that turned bad; what else the builder remembers of the one before only makes it cheap, and keeps the same objects for what
 * did not move. One builder, one line of configurations.
 */
export class MeshSnapshotBuilder {
  readonly #filter = new ConfigFilter();
  readonly #registry: Registry;
  readonly #virtualServices: VirtualServiceIndex;
  readonly #destinationRules: DestinationRuleIndex;
  readonly #security = new SecurityIndex();
  readonly #reportPeers = latest(reportPeers);
  readonly #secrets = new SecretIndex();
  #exportTo: { readonly virtualServices: readonly string[]; readonly destinationRules: readonly string[] } | undefined;
  #snapshot: MeshSnapshot | undefined;
  #raw: readonly Diagnostic[] = [];
  #diagnostics: readonly Diagnostic[] = [];

  constructor(options: RegistryOptions) {
    this.#registry = new Registry(options);
    this.#virtualServices = new VirtualServiceIndex(options.domainSuffix);
    this.#destinationRules = new DestinationRuleIndex(options.domainSuffix);
  }

  build(admitted: ConfigSnapshot, keys: KeyBook = noKeys): BuiltSnapshot {
    const config = this.#filter.apply(admitted);
    const { objects, mesh } = config;
    this.#exportTo = keepIfSameValue(this.#exportTo, {
      virtualServices: mesh.defaultVirtualServiceExportTo,
      destinationRules: mesh.defaultDestinationRuleExportTo,
    });
    const registry = this.#registry.update(config);
    const snapshot = {
      config,
      ...registry,
      security: this.#security.update(config, registry, keys),
      secrets: this.#secrets.update(objects.Secret),
      virtualServices: this.#virtualServices.update({
        objects: objects.VirtualService,
        defaultExportTo: this.#exportTo.virtualServices,
      }),
      destinationRules: this.#destinationRules.update({
        objects: objects.DestinationRule,
        defaultExportTo: this.#exportTo.destinationRules,
      }),
    };
    this.#snapshot = this.#snapshot !== undefined && sameFields(this.#snapshot, snapshot) ? this.#snapshot : snapshot;
    return { snapshot: this.#snapshot, diagnostics: this.#collect(this.#snapshot) };
  }

  #collect(snapshot: MeshSnapshot): readonly Diagnostic[] {
    const { AuthorizationPolicy, PeerAuthentication, Policy, MeshPolicy, rootNamespace } = snapshot.security;
    const peers = this.#reportPeers({
      PeerAuthentication,
      Policy,
      MeshPolicy,
      rootNamespace,
      services: snapshot.services,
    });
    const parts = [this.#registry, this.#virtualServices, this.#destinationRules];
    const raw = [...parts.flatMap((part) => part.diagnostics()), ...peers, ...tellUnservedTargets(AuthorizationPolicy)];
    if (!sameItems(this.#raw, raw)) this.#diagnostics = collectDiagnostics(this.#diagnostics, raw);
    this.#raw = raw;
    return this.#diagnostics;
  }
}
