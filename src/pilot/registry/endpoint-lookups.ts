import type { ObjectKey } from '../../model/ids.ts';
import type { Locality } from '../../model/service.ts';
import type { Labels } from './label-index.ts';
import type { FindNetwork } from './network.ts';
import type { WorkloadInfo } from './workload.ts';

/** What building endpoints asks of the rest of the registry. */
export type EndpointLookups = {
  readonly workload: (key: ObjectKey) => WorkloadInfo | undefined;
  readonly workloadAt: (address: string) => WorkloadInfo | undefined;
  readonly selectedBy: (selection: {
    readonly namespace: string;
    readonly selector: Labels;
  }) => readonly WorkloadInfo[];
  readonly localityOfNode: (node: string | undefined) => Locality | undefined;
  readonly findNetwork: FindNetwork;
};
