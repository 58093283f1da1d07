import type { Condition, ConditionType, ObjectStatus } from '../../../../src/galley/status/conditions.ts';
import type { Manifest } from '../../pilot/support/manifests.ts';
import type { TestProcess } from '../../pilot/support/process.ts';

/** The status that an object would have in the API, found out now. */
export async function statusOf(mesh: TestProcess, kind: string, name: string): Promise<ObjectStatus> {
  await mesh.xebec.status.controller.refresh(new AbortController().signal);
  const [namespace, own] = name.split('/');
  for (const { object, status } of mesh.xebec.status.controller.posted()) {
    const { meta } = object.source;
    if (object.source.kind === kind && meta.namespace === namespace && meta.name === own) return status;
  }
  throw new Error(`no status of ${kind} ${name}`);
}

export async function conditionOf(
  mesh: TestProcess,
  [kind, name]: readonly [string, string],
  type: ConditionType = 'Programmed',
): Promise<Condition | undefined> {
  return (await statusOf(mesh, kind, name)).conditions.find((condition) => condition.type === type);
}

export async function programmedOf(mesh: TestProcess, kind: string, name: string): Promise<string> {
  const { programmed } = await statusOf(mesh, kind, name);
  return programmed === undefined ? '' : `${programmed.programmed}/${programmed.known}`;
}

/** An object as a Kubernetes API has it. */
export function fromApi(manifest: Manifest, generation: number, status?: Manifest): Manifest {
  const metadata = manifest['metadata'] as Manifest;
  const uid = `${String(manifest['kind'])}-${String(metadata['namespace'])}-${String(metadata['name'])}`;
  const creationTimestamp = '2026-01-01T00:00:00Z';
  return {
    ...manifest,
    metadata: { ...metadata, generation, uid, resourceVersion: `1${generation}`, creationTimestamp },
    ...(status === undefined ? {} : { status }),
  };
}
