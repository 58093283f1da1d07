import { memoByIdentity } from '../../kit/memo.ts';
import type { ConfigObject } from '../../model/object.ts';
import { type Labels, selects } from '../registry/label-index.ts';

export type SidecarQuery = {
  /** Oldest first. */
  readonly sidecars: readonly ConfigObject<'Sidecar'>[];
  readonly rootNamespace: string;
  readonly namespace: string;
  readonly labels: Labels;
};

/**
 * The Sidecar of a workload: the oldest of its namespace that selects it by labels, else the oldest there for all workloads, else
 * the oldest for all workloads of the root namespace, else none.
 */
export function chooseSidecar({
  sidecars,
  rootNamespace,
  namespace,
  labels,
}: SidecarQuery): ConfigObject<'Sidecar'> | undefined {
  const byNamespace = indexSidecars(sidecars);
  const own = byNamespace.get(namespace) ?? [];
  return (
    own.find((sidecar) => !isForAll(sidecar) && selects(sidecar.spec.workloadSelector?.labels ?? {}, labels)) ??
    own.find(isForAll) ??
    byNamespace.get(rootNamespace)?.find(isForAll)
  );
}

const indexSidecars = memoByIdentity((sidecars: readonly ConfigObject<'Sidecar'>[]) =>
  Map.groupBy(sidecars, ({ meta }) => meta.namespace),
);

function isForAll({ spec }: ConfigObject<'Sidecar'>): boolean {
  return Object.keys(spec.workloadSelector?.labels ?? {}).length === 0;
}
