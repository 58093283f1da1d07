import type { Issue } from '../../apis/issue.ts';
import type { ConfigSnapshot } from '../../model/config-snapshot.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { type ConfigObject, refOf } from '../../model/object.ts';
import type { HostIndex } from './host-index.ts';
import type { WorkloadIndex } from './workload-index.ts';

/** What analyzers look at. The indexes are made from the snapshot. */
export type AnalysisInputs = {
  readonly snapshot: ConfigSnapshot;
  /** Of the Kubernetes cluster's names: `cluster.local`. */
  readonly domain: string;
  readonly hosts: HostIndex;
  readonly workloads: WorkloadIndex;
};

/** Checks objects against each other. Pure: the same snapshot gives the same diagnostics, in the same order. */
export type Analyzer = {
  readonly name: string;
  readonly run: (inputs: AnalysisInputs) => readonly Diagnostic[];
};

/** A diagnostic of an object; its place in a file is looked up by whoever knows the files. */
export function about(object: ConfigObject, issue: Issue): Diagnostic {
  return { ...issue, object: refOf(object), at: undefined };
}
