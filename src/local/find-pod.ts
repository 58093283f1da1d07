import type { PodReport } from './mesh/pod-runner.ts';

/**
 * By its name, or the first whose Deployment or name begins so. A namespace may stand before, as in `legacy/sleep`; without one it is
 * `default`, as everywhere, or the only namespace that has such a pod.
 */
export function findPod<Pod extends Pick<PodReport, 'namespace' | 'name' | 'deployment'>>(
  all: readonly Pod[],
  wanted: string,
): Pod | { readonly problem: string } {
  const [, namespace, name = ''] = /^(?:([^/]*)\/)?(.*)$/.exec(wanted) ?? [];
  const none = { problem: `no pod is called ${wanted}; \`xebec local status\` lists them` };
  if (namespace !== undefined) return firstOf(all, namespace, name) ?? none;
  const usual = firstOf(all, 'default', name);
  if (usual !== undefined) return usual;
  const found = [...new Set(all.map((pod) => pod.namespace))].flatMap((other) => firstOf(all, other, name) ?? []);
  if (found.length <= 1) return found[0] ?? none;
  const choices = found.map((pod) => `${pod.namespace}/${name}`).sort();
  return { problem: `${name} is in several namespaces; say which: ${choices.join(', ')}` };
}

function firstOf<Pod extends Pick<PodReport, 'namespace' | 'name' | 'deployment'>>(
  all: readonly Pod[],
  namespace: string,
  name: string,
): Pod | undefined {
  const pods = all.filter((pod) => pod.namespace === namespace);
  return (
    pods.find((pod) => pod.name === name) ??
    pods.find((pod) => pod.deployment === name) ??
    pods.find((pod) => pod.name.startsWith(`${name}-`))
  );
}
