import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LocalDistribution } from '../../../src/app/status/local-distribution.ts';
import { decodeMessage } from '../../../src/gen/codec.ts';
import { ManualClock } from '../../../src/kit/manual-clock.ts';
import { memoByIdentity } from '../../../src/kit/memo.ts';
import type { Proxy } from '../../../src/model/proxy.ts';
import { parseProxy } from '../../../src/pilot/proxy/node.ts';
import type { EncodedResource } from '../../../src/xds/resource.ts';
import { type Content, type Kind, kinds, urls } from '../../feature/pilot/support/contents.ts';
import { ModelEnvoy } from '../../feature/pilot/support/model-envoy.ts';
import { node, TestProcess } from '../../feature/pilot/support/process.ts';
import { anyObject, runs } from '../pilot/random-objects.ts';
import { beginning } from '../pilot/random-registry.ts';
import { nodes as different, proxies as differentProxies } from '../pilot/world.ts';

/** Some see the same as others, so that one's word counts for another. */
const twins = [
  node('a/twin', '10.1.7.1', { labels: { app: 'x', version: 'v1' } }),
  node('a/third', '10.1.7.2', { labels: { app: 'x', version: 'v1' } }),
];
const nodes = [...twins, ...different];
const proxies: readonly Proxy[] = [...twins.flatMap(asProxy), ...differentProxies];

function asProxy({ id, metadata }: (typeof twins)[number]): readonly Proxy[] {
  const place = { region: '', zone: '', subZone: '' };
  const proxy = parseProxy({
    id,
    metadata,
    locality: place,
    cluster: '',
    userAgentName: '',
    userAgentVersion: '',
    clientFeatures: [],
  });
  return proxy.ok ? [proxy.value] : [];
}

/** Envoys that dislike resources with a text in them, and say so in one way or another. */
const opinion = fc.record({
  text: fc.constantFrom('v1', 'v2', 'x.example.com', '"weight"', '"routeConfigName":"80"', 'never'),
  words: fc.constantFrom('names it', 'says nothing'),
});

type Opinion = { readonly text: string; readonly words: string };

const step = fc.oneof(
  { weight: 4, arbitrary: fc.array(anyObject, { minLength: 1, maxLength: 3 }).map((objects) => ({ objects })) },
  { weight: 2, arbitrary: fc.nat(nodes.length - 1).map((come) => ({ come })) },
  { weight: 2, arbitrary: fc.record({ who: fc.nat(nodes.length - 1), opinion }) },
);

const start = fc.array(anyObject, { minLength: 5, maxLength: 20, size: 'max' });

function judge({ text, words }: Opinion) {
  return (_: Kind, content: Content): string | undefined => {
    if (!JSON.stringify(content.message).includes(text)) return undefined;
    return words === 'names it' ? `Error adding/updating listener(s) ${content.name}: it has ${text}` : 'no';
  };
}

const valueOf = memoByIdentity(({ frame }: EncodedResource): Uint8Array => {
  const { resources = [] } = decodeMessage('envoy.service.discovery.v3.DeltaDiscoveryResponse', frame);
  return resources[0]?.resource?.value ?? new Uint8Array();
});

function has(envoy: ModelEnvoy, kind: Kind, resource: EncodedResource): boolean {
  const stored = envoy.store[kind].get(resource.name)?.value;
  return stored !== undefined && Buffer.compare(stored, valueOf(resource)) === 0;
}

type Counts = Readonly<Record<string, string>>;

/** Kinds whose objects resources come from. A Sidecar decides what there is, and is in no resource. */
const traced = ['VirtualService', 'DestinationRule', 'Gateway', 'ServiceEntry'];

/** By object that a client uses: whether it has all that comes from it. */
type Uses = Map<string, boolean>;

function usesOf(mesh: TestProcess, envoy: ModelEnvoy): Uses {
  const uses: Uses = new Map();
  const proxy = proxies.find(({ id }) => id === envoy.id);
  const view = proxy === undefined ? undefined : mesh.xebec.pilot.snapshotFor(proxy);
  for (const kind of kinds) {
    for (const resource of view?.get(urls[kind])?.resources.values() ?? []) {
      const isAsked = kind === 'cluster' || kind === 'listener' || envoy.subscribed(kind).has(resource.name);
      if (isAsked || proxy?.kind !== 'proxyless') noteUses(uses, resource, has(envoy, kind, resource));
    }
  }
  return uses;
}

function noteUses(uses: Uses, { origins }: EncodedResource, isThere: boolean): void {
  for (const { kind, namespace, name } of origins) {
    const key = `${kind}/${namespace}/${name}`;
    if (traced.includes(kind)) uses.set(key, (uses.get(key) ?? true) && isThere);
  }
}

/** Looks at every object of every resource of every connected client, from the client's side. */
function countOneByOne(mesh: TestProcess, envoys: Iterable<ModelEnvoy>): Counts {
  const all = [...envoys].flatMap((envoy) => [...usesOf(mesh, envoy)]);
  const byKey = Map.groupBy(all, ([key]) => key);
  return Object.fromEntries(
    [...byKey].map(([key, uses]) => [key, `${uses.filter(([, isWhole]) => isWhole).length}/${uses.length}`]),
  );
}

function counterOf(mesh: TestProcess): LocalDistribution {
  const { galley, pilot, xds, verdicts } = mesh.xebec;
  return new LocalDistribution({
    pilot,
    xds,
    reports: verdicts,
    config: () => galley.snapshot(),
    clock: new ManualClock(),
  });
}

async function countsOf(counter: LocalDistribution): Promise<Counts> {
  const { objects } = await counter.read();
  const used = [...objects].filter(([key, { known }]) => known > 0 && traced.includes(key.split('/')[0] ?? ''));
  return Object.fromEntries(used.map(([key, { programmed, known }]) => [key, `${programmed}/${known}`]));
}

test('counts by view are those of looking at every client, whatever clients say and whoever comes and goes', async () => {
  await fc.assert(
    fc.asyncProperty(start, fc.array(step, { maxLength: 8 }), async (objects, steps) => {
      const mesh = await TestProcess.start([...beginning, ...objects], { clock: new ManualClock() });
      const envoys = nodes.map((node, index) => new ModelEnvoy(index % 2 === 0 ? 'delta' : 'sotw', node));
      const connected = new Set(envoys.slice(0, 5));
      await mesh.connectAll([...connected]);
      const counter = counterOf(mesh);
      for (const each of steps) {
        if ('objects' in each) await mesh.apply(...each.objects);
        else if ('come' in each) await comeOrGo(mesh, envoys[each.come], connected);
        else {
          const envoy = envoys[each.who];
          if (envoy !== undefined) envoy.judge = judge(each.opinion);
        }
        expect(await countsOf(counter)).toEqual(countOneByOne(mesh, connected));
        expect(await countsOf(counter)).toEqual(await countsOf(counterOf(mesh)));
      }
      await mesh.stop();
    }),
    { ...runs(25), endOnFailure: true },
  );
});

async function comeOrGo(mesh: TestProcess, envoy: ModelEnvoy | undefined, connected: Set<ModelEnvoy>): Promise<void> {
  if (envoy === undefined) return;
  if (connected.delete(envoy)) {
    await mesh.disconnect(envoy);
  } else {
    connected.add(envoy);
    await mesh.connect(envoy);
  }
}
