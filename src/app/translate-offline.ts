import { err, ok, type Result } from '../kit/result.ts';
import type { ConfigSnapshot } from '../model/config-snapshot.ts';
import { offlineProxy, provenProxy } from '../pilot/proxy/offline.ts';
import { workloadOf } from '../pilot/proxy/workload-of.ts';
import { MeshSnapshotBuilder } from '../pilot/snapshot/snapshot-builder.ts';
import { Views } from '../pilot/view/views.ts';
import type { XdsSnapshot } from '../xds/ports.ts';
import { Verdicts } from '../xds/verdicts.ts';

export type TranslateInputs = {
  readonly config: ConfigSnapshot;
  /** A node id. */
  readonly proxy: string;
  readonly domain: string;
  readonly metadata: Readonly<Record<string, unknown>>;
};

export type OfflineTranslation = {
  readonly snapshot: XdsSnapshot;
  /** Whether some Pod or WorkloadEntry is where the proxy says it is; without one, nothing leads in to it. */
  readonly hasWorkload: boolean;
};

/** What a proxy would get of a configuration. The error says what is wrong with the node id. */
export function translateOffline(inputs: TranslateInputs): Result<OfflineTranslation, string> {
  const { config, proxy, domain, metadata } = inputs;
  const { snapshot } = new MeshSnapshotBuilder({ domainSuffix: domain, clusterId: 'Kubernetes' }).build(config);
  const parsed = offlineProxy(proxy, snapshot, metadata);
  if (!parsed.ok) return err(parsed.error);
  const hasWorkload = workloadOf(snapshot, parsed.value) !== undefined;
  return ok({ snapshot: new Views(new Verdicts()).snapshotFor(snapshot, provenProxy(parsed.value)), hasWorkload });
}
