import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, inject } from 'vitest';
import { canUseNamespaces, needNamespaces } from '../support/namespaces.ts';
import { NodeClient } from './node-client.ts';

export type SharedNode = {
  readonly client: () => NodeClient;
  /** Of this file alone, and gone after it. */
  readonly namespace: string;
};

/**
 * The node that all files of the project `node` share, with these images loaded. What a file does outside of its namespace it takes back
 * itself. Call it at the top of the file: without root all its tests are left out.
 */
export function sharedNode(...images: readonly string[]): SharedNode {
  needNamespaces();
  const namespace = `test-${randomBytes(4).toString('hex')}`;
  let client: NodeClient | undefined;
  beforeAll(async () => {
    if (!canUseNamespaces) return;
    client = new NodeClient(inject('node'));
    await client.kubectl(['create', 'namespace', namespace]);
    await client.useImages(...images);
  });
  afterAll(async () => {
    await client?.kubectl(['delete', 'namespace', namespace, '--wait=false']);
  });
  return {
    namespace,
    client: () => {
      if (client === undefined) throw new Error('the node is there in tests, not before');
      return client;
    },
  };
}
