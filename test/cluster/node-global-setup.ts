import type { TestProject } from 'vitest/node';
import { canUseNamespaces } from '../support/namespaces.ts';
import { startNode } from './node.ts';
import type { NodeAccess } from './node-client.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    node: NodeAccess;
  }
}

/** One node for all files of the project `node`, started before the first and ended after the last. */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  if (!canUseNamespaces) return undefined;
  const node = await startNode();
  project.provide('node', node.client.access);
  return () => node.stop({ keepLogs: project.vitest.state.getCountOfFailedTests() > 0 });
}
