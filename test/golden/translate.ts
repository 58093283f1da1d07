import type { ConfigSnapshot } from '../../src/model/config-snapshot.ts';
import type { Diagnostic } from '../../src/model/diagnostic.ts';
import { offlineProxy, provenProxy } from '../../src/pilot/proxy/offline.ts';
import { MeshSnapshotBuilder } from '../../src/pilot/snapshot/snapshot-builder.ts';
import { Views } from '../../src/pilot/view/views.ts';
import type { XdsSnapshot } from '../../src/xds/ports.ts';
import { Verdicts } from '../../src/xds/verdicts.ts';
import type { GoldenCase } from './case.ts';

export type Translation = {
  readonly resources: XdsSnapshot;
  /** What registry, snapshot and translation have to tell. */
  readonly diagnostics: readonly Diagnostic[];
};

/** What the proxy of a case gets, and what the owners of the objects are told. */
export function translateCase({ proxy, labels, metadata, isProven }: GoldenCase, config: ConfigSnapshot): Translation {
  const built = new MeshSnapshotBuilder({ domainSuffix: 'cluster.local', clusterId: 'Kubernetes' }).build(config);
  const nodeMetadata = { ...metadata, ...(Object.keys(labels).length === 0 ? {} : { LABELS: labels }) };
  const parsed = offlineProxy(proxy, built.snapshot, nodeMetadata);
  if (!parsed.ok) throw new Error(parsed.error);
  const views = new Views(new Verdicts());
  const resources = views.snapshotFor(built.snapshot, isProven ? provenProxy(parsed.value) : parsed.value);
  return { resources, diagnostics: [...built.diagnostics, ...views.diagnostics()] };
}
