import type { KubeApi } from '../../kube/api.ts';
import { nameOf } from '../../kube/json.ts';
import type { Check } from './check.ts';
import { failed } from './findings.ts';
import { listAll } from './list-all.ts';
import { listReplicas } from './replicas.ts';

const services = { group: '', version: 'v1', plural: 'services' };
const ours = 'app.kubernetes.io/name=xebec,app.kubernetes.io/component=control-plane';

/** Nothing where there is a control plane, in whatever state; where there is none, all the rest would say so once more. */
export const checkPresence: Check = async ({ kube, config }, signal) => {
  const { namespace, service } = config;
  // A Service has a slice even if no pod stands behind it. Who may not look is told so below.
  const slices = await listReplicas(kube, config, signal);
  if (!slices.ok || slices.value.length > 0) return [];
  const others = await findOthers(kube, signal);
  const remedy =
    others.length === 0
      ? `helm install ${service} charts/xebec --namespace ${namespace} --create-namespace; or say where it is: --namespace, --service`
      : `say which one: ${others.join(', or ')}`;
  return [failed(`there is no xebec: no Service ${service} in the namespace ${namespace}`, remedy)];
};

async function findOthers(kube: KubeApi, signal: AbortSignal): Promise<readonly string[]> {
  const found = await listAll(kube, { type: services, namespace: '', labelSelector: ours }, signal);
  if (!found.ok) return [];
  return found.value.map(nameOf).map(({ namespace, name }) => `--namespace ${namespace} --service ${name}`);
}
