import fc from 'fast-check';
import { expect, it } from 'vitest';
import { apiVersionsOf, type Collection, collections } from '../../../src/apis/collections.ts';
import { defaultMeshConfig } from '../../../src/apis/mesh/default-mesh-config.ts';
import { ConfigStore } from '../../../src/galley/admit/config-store.ts';
import { analyze } from '../../../src/galley/analyzers/analyze.ts';
import { findObjects } from '../../../src/galley/sources/folder/find-objects.ts';
import { parseDocument } from '../../../src/galley/yaml/parse-document.ts';
import { route } from './harness.ts';

const kinds: readonly Collection[] = Object.values(collections);

/** Words that mean something somewhere, so that random objects get past the first checks now and then. */
const words = fc.constantFrom(
  ...[
    'a',
    'reviews',
    '*',
    '*.example.com',
    '10.0.0.0/8',
    '::1',
    'mesh',
    '../x',
    'TCP',
    'HTTP',
    'v1',
    '',
    '%',
    '(',
    '1s',
  ],
);
const fields = fc.constantFrom(
  ...[
    'hosts',
    'http',
    'route',
    'destination',
    'host',
    'subset',
    'subsets',
    'labels',
    'name',
    'port',
    'ports',
    'number',
    'match',
  ],
  ...[
    'servers',
    'selector',
    'addresses',
    'endpoints',
    'delegate',
    'gateways',
    'exportTo',
    'weight',
    'tls',
    'data',
    'spec',
    '__proto__',
  ],
);
const leaf = fc.oneof(words, fc.integer(), fc.boolean(), fc.constant(null), fc.double(), fc.string());
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'medium' },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fields, tie('value'), { maxKeys: 5 }),
  ),
}));

/** Good objects, of which a part is replaced: these get far. */
const seeds: readonly object[] = [
  {
    hosts: ['a'],
    gateways: ['g', 'mesh'],
    http: [{ match: [{ uri: { prefix: '/' } }], route: [{ destination: { host: 'a', subset: 's' } }] }],
  },
  { http: [{ delegate: { name: 'x', namespace: 'default' } }] },
  { host: 'a', subsets: [{ name: 's', labels: { v: '1' } }], trafficPolicy: { loadBalancer: { simple: 'RANDOM' } } },
  { selector: { app: 'g' }, servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }] },
  { hosts: ['a.com'], addresses: ['10.0.0.1'], ports: [{ number: 1, name: 't', protocol: 'TCP' }], resolution: 'NONE' },
  { ports: [{ port: 80, name: 'http' }], selector: { app: 'a' } },
  { containers: [{ name: 'c', ports: [{ containerPort: 80 }] }] },
  { address: '10.0.0.1', labels: { app: 'a' } },
];
const mutants = fc
  .record({ seed: fc.constantFrom(...seeds), at: fc.array(fc.nat(3), { maxLength: 6 }), put: value })
  .map(({ seed, at, put }) => replaced(structuredClone(seed), at, put));

const bodies = fc.record({
  collection: fc.constantFrom(...kinds),
  name: fc.constantFrom('x', 'y', 'X_'),
  spec: fc.oneof(fc.dictionary(fields, value, { maxKeys: 6 }), mutants, mutants),
  rest: fc.dictionary(fc.constantFrom('status', 'data', 'metadata2', 'addressType', 'endpoints'), value, {
    maxKeys: 2,
  }),
});

it('survives objects that nobody validated, and leaves the others as they are', { timeout: 120_000 }, () => {
  const good = onlyObject(route('good'));
  fc.assert(
    fc.property(fc.array(bodies, { maxLength: 20 }), (hostile) => {
      const store = new ConfigStore(['test']);
      store.upsert(0, good);
      const [before] = store.objects().VirtualService;
      for (const { collection, name, spec, rest } of hostile) {
        const body = {
          apiVersion: apiVersionsOf(collection)[0],
          kind: collection.kind,
          metadata: { name },
          spec,
          ...rest,
        };
        for (const { object } of findObjects(body).found) store.upsert(0, object);
      }
      const objects = store.objects();
      expect(objects.VirtualService.find(({ meta }) => meta.name === 'good')).toBe(before);
      for (const { path, message } of [
        ...store.diagnostics(),
        ...analyze({ objects, mesh: defaultMeshConfig, networks: {} }),
      ]) {
        expect(message.length).toBeLessThan(2_000);
        expect(path.length).toBeLessThan(200);
      }
      expect({}).not.toHaveProperty('hosts');
    }),
    { numRuns: 300 },
  );
});

/** The value with one of its parts, found by counting down its levels, replaced. */
function replaced(whole: unknown, at: readonly number[], put: unknown): unknown {
  const [step, ...deeper] = at;
  if (step === undefined || typeof whole !== 'object' || whole === null) return put;
  const keys = Object.keys(whole);
  const key = keys[step % Math.max(1, keys.length)];
  if (key === undefined) return put;
  Reflect.set(whole, key, replaced(Reflect.get(whole, key), deeper, put));
  return whole;
}

function onlyObject(text: string) {
  const parsed = parseDocument(text);
  const found = findObjects(parsed.ok ? parsed.value.value : undefined).found[0];
  if (found === undefined) throw new Error('no object');
  return found.object;
}
