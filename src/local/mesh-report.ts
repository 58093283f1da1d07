import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Fields, fieldsOf, listAt, numberAt, parseFields, textAt } from './fields.ts';
import type { IdentityReport } from './mesh/pod-identity.ts';
import type { PodReport } from './mesh/pod-runner.ts';

/** What the mesh says of itself; written whenever it changes, read by `status` and whoever waits. */
export type MeshReport = {
  /** The folder was read, and every pod it asks for takes traffic. */
  readonly ready: boolean;
  readonly pods: readonly PodReport[];
};

const FILE = 'mesh.json';

export function meshReportFile(stateFolder: string): string {
  return join(stateFolder, FILE);
}

export async function readMeshReport(stateFolder: string): Promise<MeshReport | undefined> {
  const fields = parseFields(await readFile(meshReportFile(stateFolder), 'utf8').catch(() => ''));
  if (fields === undefined) return undefined;
  return {
    ready: fields['ready'] === true,
    pods: listAt(fields, 'pods').map(readPod),
  };
}

function readPod(value: unknown): PodReport {
  const fields = fieldsOf(value);
  const kind = textAt(fields, 'kind');
  return {
    name: textAt(fields, 'name'),
    namespace: textAt(fields, 'namespace'),
    deployment: textAt(fields, 'deployment'),
    address: textAt(fields, 'address'),
    kind: kind === 'router' || kind === 'none' ? kind : 'sidecar',
    ready: fields['ready'] === true,
    readyParts: numberAt(fields, 'readyParts'),
    parts: numberAt(fields, 'parts'),
    restarts: numberAt(fields, 'restarts'),
    status: textAt(fields, 'status'),
    adminSocket: textAt(fields, 'adminSocket') || undefined,
    identity: readIdentity(fieldsOf(fields['identity'])),
    pid: numberAt(fields, 'pid') || undefined,
    createdAt: numberAt(fields, 'createdAt'),
  };
}

function readIdentity(fields: Fields): IdentityReport | undefined {
  const spiffeId = textAt(fields, 'spiffeId');
  return spiffeId === '' ? undefined : { spiffeId, notAfter: numberAt(fields, 'notAfter') };
}
