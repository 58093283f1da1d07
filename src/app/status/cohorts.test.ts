import { expect, it } from 'vitest';
import { objectKey } from '../../model/ids.ts';
import type { MeshSnapshot } from '../../model/mesh-snapshot.ts';
import type { Proxy } from '../../model/proxy.ts';
import type { ProxyView } from '../../pilot/pilot.ts';
import type { StreamDelivery, TypeDelivery } from '../../xds/delivery.ts';
import { type EncodedResource, encodeResource } from '../../xds/resource.ts';
import { emptyResourceSet, nextResourceSet } from '../../xds/resource-set.ts';
import { ServedSets } from '../../xds/served-set.ts';
import { Verdicts } from '../../xds/verdicts.ts';
import { CohortCounter } from './cohort-counter.ts';
import { type Served, sortIntoCohorts } from './cohorts.ts';
import { Tally } from './tally.ts';

const typeUrl = 'type.googleapis.com/envoy.config.cluster.v3.Cluster';
const objects = 500;

/** Counts how often somebody looks where a resource comes from. */
class Looks {
  count = 0;

  resource(index: number): EncodedResource {
    const origins = [{ kind: 'DestinationRule', namespace: 'shop', name: `rule-${index}`, path: 'spec' }];
    const name = `cluster-${index}`;
    const made = encodeResource({ typeUrl, name, value: Buffer.from(name), needs: [], origins });
    const note = (): void => {
      this.count += 1;
    };
    return Object.defineProperty({ ...made }, 'origins', {
      get: () => {
        note();
        return origins;
      },
    });
  }
}

/** Without objects of any kind. */
function mesh(): MeshSnapshot {
  const none: readonly unknown[] = [];
  return { config: { objects: new globalThis.Proxy({}, { get: () => none }) } } as unknown as MeshSnapshot;
}

type World = { readonly looks: Looks; readonly served: readonly Served[] };

function world({ views, proxies, odd = [] }: { views: number; proxies: number; odd?: readonly string[] }): World {
  const looks = new Looks();
  const verdicts = new Verdicts();
  const sets = new ServedSets();
  const list = Array.from({ length: objects }, (_, index) => looks.resource(index));
  const base = nextResourceSet(emptyResourceSet(typeUrl, verdicts), list);
  const set = sets.of(base);
  const newest = mesh();
  const snapshots = Array.from({ length: views }, () => new Map([[typeUrl, base]]));
  const served = Array.from({ length: proxies }, (_, index): Served => {
    const snapshot = snapshots[index % views] ?? new Map();
    const view: ProxyView = {
      proxy: { kind: 'sidecar' } as Proxy,
      mesh: newest,
      snapshot,
      shared: [list],
      own: [],
      sidecar: undefined,
      keys: [],
    };
    const unconfirmed = index < odd.length ? odd.slice(index, index + 1) : [];
    const type: TypeDelivery = {
      set,
      names: undefined,
      isBeginning: false,
      behind: [],
      unconfirmed,
      refused: new Map(),
    };
    const delivery: StreamDelivery = {
      proxy: `proxy-${index}`,
      handle: { current: () => snapshot, close: () => undefined },
      types: [type],
    };
    return { view, delivery };
  });
  looks.count = 0;
  return { looks, served };
}

function count(counter: CohortCounter, { served }: World): { readonly tally: Tally; readonly cohorts: number } {
  const tally = new Tally();
  const [first] = served;
  if (first === undefined) throw new Error('nobody is served');
  const counting = counter.begin(tally, first.view.mesh);
  const cohorts = sortIntoCohorts(served);
  for (const cohort of cohorts) counting.add(cohort);
  counting.end();
  return { tally, cohorts: cohorts.length };
}

it('looks at each resource once, however many views and proxies have it', () => {
  const small = world({ views: 1, proxies: 1 });
  const large = world({ views: 50, proxies: 5_000 });
  count(new CohortCounter(), small);
  const { tally, cohorts } = count(new CohortCounter(), large);
  expect(cohorts).toBe(50);
  expect(large.looks.count).toBe(small.looks.count);
  expect(tally.counts.get(objectKey('DestinationRule', 'shop', 'rule-7'))).toMatchObject({
    programmed: 5_000,
    pending: 0,
  });
});

it('looks at nothing again while the resources stay', () => {
  const large = world({ views: 50, proxies: 5_000 });
  const counter = new CohortCounter();
  count(counter, large);
  large.looks.count = 0;
  count(counter, large);
  expect(large.looks.count).toBe(0);
});

it('takes one proxy’s lack for what it is, in the middle of its like', () => {
  const odd = world({ views: 2, proxies: 1_000, odd: ['cluster-7', 'cluster-7', 'cluster-8'] });
  const { tally, cohorts } = count(new CohortCounter(), odd);
  expect(cohorts).toBe(2);
  const counts = (index: number) => tally.counts.get(objectKey('DestinationRule', 'shop', `rule-${index}`));
  expect(counts(7)).toMatchObject({ programmed: 998, pending: 2 });
  expect(counts(8)).toMatchObject({ programmed: 999, pending: 1 });
  expect(counts(9)).toMatchObject({ programmed: 1_000, pending: 0 });
});
