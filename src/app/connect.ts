import { err, ok, type Result } from '../kit/result.ts';
import { connectKubeApi, type KubeAccess, type KubeConnection } from '../kube/connect.ts';
import type { AssembleInputs } from './assemble.ts';

/** What the process knows of where it runs. */
type Environment = Readonly<Record<string, string | undefined>>;

/** The Kubernetes API that the configuration asks for; nothing when it asks for none. */
export async function connectKubernetes(
  { config, clock, log, metrics }: Omit<AssembleInputs, 'kube'>,
  env: Environment,
  version: string,
): Promise<Result<KubeConnection | undefined, string>> {
  if (!config.kubernetes) return ok(undefined);
  const access = accessOf(config, env);
  if (access === undefined) {
    return err(
      '--kubernetes: this is no pod, and there is no kubeconfig: give one with --kubeconfig, or set KUBECONFIG',
    );
  }
  const connected = await connectKubeApi({ access, clock, log, metrics, userAgent: `xebec/${version}` });
  return connected.ok ? connected : err(`--kubernetes: ${connected.error}`);
}

/** A pod has what it needs; elsewhere there is a kubeconfig. */
function accessOf(
  { kubeconfig, context }: AssembleInputs['config'],
  { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port, HOME: home }: Environment,
): KubeAccess | undefined {
  if (kubeconfig !== undefined) return { kind: 'kubeconfig', path: kubeconfig, context };
  if (host !== undefined && host !== '' && context === undefined) return { kind: 'in-cluster', host, port };
  return home === undefined ? undefined : { kind: 'kubeconfig', path: `${home}/.kube/config`, context };
}
