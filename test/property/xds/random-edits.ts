import fc from 'fast-check';
import type { World } from '../../feature/xds/support/world.ts';

/** One change of a mesh. Numbers pick among what there is, so that an edit always fits and shrinks well. */
export type Edit =
  | {
      readonly kind: 'put-cluster' | 'put-endpoint' | 'remove-cluster' | 'remove-route' | 'remove-listener';
      readonly pick: number;
    }
  | {
      readonly kind: 'put-route' | 'put-listener';
      readonly pick: number;
      readonly clusters: readonly number[];
      readonly route: number;
    };

const pick = fc.nat({ max: 4 });
const clusters = fc.array(pick, { maxLength: 3 });

export const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('put-cluster', 'put-endpoint', 'remove-cluster', 'remove-route', 'remove-listener'),
    pick,
  }),
  fc.record({ kind: fc.constantFrom('put-route', 'put-listener'), pick, clusters, route: pick }),
);

/** Applies an edit and keeps the mesh consistent: nothing names what is not there. */
export function applyEdit(world: World, change: Edit): void {
  switch (change.kind) {
    case 'put-cluster':
      world.put('cluster', `c${change.pick}`);
      return;
    case 'put-endpoint':
      if (world.content('endpoint', `c${change.pick}`) !== undefined) world.put('endpoint', `c${change.pick}`);
      return;
    case 'remove-cluster':
      removeCluster(world, `c${change.pick}`);
      return;
    case 'remove-route':
      removeRoute(world, `r${change.pick}`);
      return;
    case 'remove-listener':
      world.remove('listener', `l${change.pick}`);
      return;
    case 'put-route':
      world.put('route', `r${change.pick}`, { clusters: existing(world, change.clusters) });
      return;
    case 'put-listener': {
      const route = world.content('route', `r${change.route}`) === undefined ? {} : { route: `r${change.route}` };
      world.put('listener', `l${change.pick}`, { clusters: existing(world, change.clusters), ...route });
    }
  }
}

function existing(world: World, picks: readonly number[]): readonly string[] {
  const names = world.names('cluster');
  return names.length === 0 ? [] : [...new Set(picks.map((at) => names[at % names.length] ?? ''))];
}

/** With everything that names it changed so that it no longer does. */
function removeCluster(world: World, name: string): void {
  for (const kind of ['route', 'listener'] as const) {
    for (const user of world.names(kind)) {
      const { clusters: named = [] } = world.content(kind, user) ?? {};
      if (named.includes(name)) world.put(kind, user, { clusters: named.filter((each) => each !== name) });
    }
  }
  world.remove('cluster', name);
}

function removeRoute(world: World, name: string): void {
  for (const listener of world.names('listener')) {
    const content = world.content('listener', listener);
    if (content?.route === name)
      world.remove('listener', listener).put('listener', listener, { clusters: content.clusters });
  }
  world.remove('route', name);
}
