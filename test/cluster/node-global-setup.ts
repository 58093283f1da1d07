import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { canUseNamespaces } from '../support/namespaces.ts';
import { startNode } from './node.ts';
import type { NodeAccess } from './node-client.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    node: NodeAccess;
    /** What accounts of pods asked the API server, one JSON object a line. */
    auditLog: string;
  }
}

/** Who asked for what, and whether it was allowed; nothing of what was said. */
const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    { level: 'None', userGroups: ['system:serviceaccounts:kube-system'] },
    { level: 'Metadata', userGroups: ['system:serviceaccounts'] },
    { level: 'None' },
  ],
};

/** One node for all files of the project `node`, started before the first and ended after the last. */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  if (!canUseNamespaces) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'xebec-audit-'));
  const auditLog = join(folder, 'audit.log');
  const policy = join(folder, 'policy.json');
  await writeFile(policy, JSON.stringify(auditPolicy));
  const node = await startNode({ apiServerFlags: [`--audit-policy-file=${policy}`, `--audit-log-path=${auditLog}`] });
  project.provide('node', node.client.access);
  project.provide('auditLog', auditLog);
  return async () => {
    await node.stop({ keepLogs: project.vitest.state.getCountOfFailedTests() > 0 });
    await rm(folder, { recursive: true, force: true });
  };
}
