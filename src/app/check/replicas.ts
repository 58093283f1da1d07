import type { KubeApi, KubeObject, KubeResult } from '../../kube/api.ts';
import type { ProcessConfig } from '../config.ts';
import { listAll } from './list-all.ts';

const endpointSlices = { group: 'discovery.k8s.io', version: 'v1', plural: 'endpointslices' };

/** The EndpointSlices of xebec's Service. */
export function listReplicas(
  kube: KubeApi,
  { namespace, service }: Pick<ProcessConfig, 'namespace' | 'service'>,
  signal: AbortSignal,
): Promise<KubeResult<readonly KubeObject[]>> {
  const labelSelector = `kubernetes.io/service-name=${service}`;
  return listAll(kube, { type: endpointSlices, namespace, labelSelector }, signal);
}
