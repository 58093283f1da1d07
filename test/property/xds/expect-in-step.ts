import { expect } from 'vitest';
import type { ModelClient } from '../../feature/xds/support/model-client.ts';
import type { World } from '../../feature/xds/support/world.ts';

/** The client has exactly what the mesh has, as far as it can reach it, and waits for nothing. */
export function expectInStep(client: ModelClient, world: World): void {
  const contents = client.contents();
  for (const kind of ['cluster', 'endpoint', 'listener'] as const) {
    expect(Object.keys(contents[kind])).toEqual([...world.names(kind)].sort());
  }
  const routes = world.names('listener').flatMap((name) => world.content('listener', name)?.route ?? []);
  expect(Object.keys(contents.route)).toEqual([...new Set(routes)].sort());
  for (const kind of ['cluster', 'endpoint', 'listener', 'route'] as const) {
    for (const [name, content] of Object.entries(contents[kind])) expect(content).toEqual(world.content(kind, name));
  }
  expect([...client.warming]).toEqual([]);
}
