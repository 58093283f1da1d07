// Make before break, where it counts: VirtualService and DestinationRule pairs change under load, and no request notices.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { useMesh } from '../support/mesh.ts';
import { Random } from '../support/random.ts';
import { client, echo, gateway, outside, service } from '../support/workloads.ts';

const EDITS = Number(process.env['XEBEC_EDITS'] ?? 1000);
const seed = Number(process.env['XEBEC_SEED'] ?? Date.now() % 1_000_000);
const versions = ['v1', 'v2', 'v3'];
const hosts = ['one-file', 'two-files', 'any-order', 'with-pauses'] as const;
type Host = (typeof hosts)[number];

const mesh = useMesh({
  meshConfig: ({ logs }) => `
accessLogFile: ${logs}/access.log
accessLogFormat: "%RESPONSE_FLAGS% %RESPONSE_CODE% %UPSTREAM_CLUSTER_RAW% %START_TIME% %REQ(:AUTHORITY)%%REQ(:PATH)%"
`,
});
mesh.given(
  client('client'),
  client('outsider', outside),
  ...gateway('ingressgateway', ['http2:80>8080']),
  ...versions.map((version) => echo('echo', version, ['http:8080'])),
  ...hosts.map((host) => service(host, ['http:80>8080'], { selector: { app: 'echo' } })),
  // Shows that the log would tell: half of its requests have no route.
  service('control', ['http:80>8080'], { selector: { app: 'echo' } }),
  `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: control, namespace: default }
spec: { hosts: [control], http: [{ match: [{ uri: { prefix: /known } }], route: [{ destination: { host: control } }] }] }
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: edge, namespace: default }
spec: { selector: { istio: ingressgateway }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ["*"] }] }
`,
);

/** The subsets of a host: the version each stands for, by name. */
type Pair = { readonly subsets: ReadonlyMap<string, string>; readonly rule: string; readonly routes: string };

class Pairs {
  readonly #random: Random;
  #names = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Subsets are kept, renamed, added and removed; all routes are drawn anew over those that are there. */
  next(host: Host, before: Pair | undefined): Pair {
    const random = this.#random;
    const subsets = new Map([...(before?.subsets ?? [])].filter(() => random.chance(0.5)));
    const wanted = 1 + random.below(3);
    while (subsets.size < wanted) subsets.set(this.#freshName(), random.pick(versions));
    const names = [...subsets.keys()];
    const destination = (name: string): string => `destination: { host: ${host}, subset: ${name} }`;
    const weight = Math.floor(100 / names.length);
    const weights = names.map((_, index) => (index === 0 ? 100 - weight * (names.length - 1) : weight));
    const legs = names.map((name, index) => `{ ${destination(name)}, weight: ${weights[index]} }`);
    const first = random.chance(0.5)
      ? `    - { match: [{ uri: { prefix: /a } }], route: [{ ${destination(random.pick(names))} }] }\n`
      : '';
    return {
      subsets,
      rule: destinationRule(host, subsets),
      routes: virtualService(host, `${first}    - { route: [${legs.join(', ')}] }`),
    };
  }

  #freshName(): string {
    this.#names += 1;
    return `s${this.#names}`;
  }
}

function destinationRule(host: Host, subsets: Pair['subsets']): string {
  const list = [...subsets].map(([name, version]) => `{ name: ${name}, labels: { version: ${version} } }`);
  return `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: ${host}, namespace: default }
spec: { host: ${host}, subsets: [${list.join(', ')}] }
`;
}

function virtualService(host: Host, http: string): string {
  return `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${host}, namespace: default }
spec:
  hosts: [${host}]
  gateways: [mesh, edge]
  http:
${http}
`;
}

async function write(host: Host, { rule, routes }: Pair, random: Random): Promise<void> {
  const writes = [() => mesh.write(`${host}-rule`, rule), () => mesh.write(`${host}-routes`, routes)];
  switch (host) {
    case 'one-file':
      mesh.write(host, ...(random.chance(0.5) ? [rule, routes] : [routes, rule]));
      return;
    case 'two-files':
      for (const each of writes) each();
      return;
    case 'any-order':
      for (const each of random.chance(0.5) ? writes : writes.reverse()) each();
      return;
    case 'with-pauses':
      // For a while rule and routes do not fit together, and longer than any debounce.
      for (const each of random.chance(0.5) ? writes : writes.reverse()) {
        each();
        await sleep(random.below(250));
      }
  }
}

type Entry = { readonly flags: string; readonly status: number; readonly line: string };

function readLog(): readonly Entry[] {
  const lines = readFileSync(`${mesh.folders.logs}/access.log`, 'utf8').split('\n');
  return lines
    .filter((line) => line !== '')
    .map((line) => ({ flags: line.split(' ')[0] ?? '', status: Number(line.split(' ')[1]), line }));
}

const isBreak = ({ flags }: Entry): boolean => flags.split(',').some((flag) => ['NC', 'NR', 'UH'].includes(flag));

test(`${EDITS} edits under load break no request`, async () => {
  const random = new Random(seed);
  const pairs = new Pairs(random);
  const current = new Map<Host, Pair>();
  for (const host of hosts) {
    const pair = pairs.next(host, undefined);
    current.set(host, pair);
    await write(host, pair, random);
  }
  await mesh.settle();
  const paths = hosts.flatMap((host) => [`${host}/`, `${host}/a`]);
  const inside = paths.map((path) => ({ url: `http://${path}` }));
  const { address } = await mesh.pod('ingressgateway');
  const fromOutside = hosts.map((host) => ({
    url: `http://${host}:8080/a`,
    address,
    headers: { host: `${host}.default.svc.cluster.local` },
  }));
  await mesh.startLoad('client', { id: 'load', batches: inside, workers: 10, pauseMs: 12 });
  await mesh.startLoad('outsider', { id: 'load', batches: fromOutside, workers: 4, pauseMs: 12 });

  const started = performance.now();
  for (let edit = 0; edit < EDITS; edit += 1) {
    const host = random.pick(hosts);
    const pair = pairs.next(host, current.get(host));
    current.set(host, pair);
    await write(host, pair, random);
    await sleep(random.below(60));
  }
  const seconds = (performance.now() - started) / 1000;
  await mesh.settle();
  const loads = [await mesh.stopLoad('client', 'load'), await mesh.stopLoad('outsider', 'load')];
  const requests = loads.reduce((sum, load) => sum + load.requests, 0);
  await mesh.call('client', 'http://control/unknown');

  await mesh.waitUntil('the last request is logged', async () =>
    readLog().some(({ line }) => line.endsWith('/unknown')),
  );
  const log = readLog();
  const pushes = (await mesh.admin('/metrics')).split('\n').filter((line) => line.startsWith('pilot_xds_pushes'));
  console.log(
    `seed ${seed}: ${EDITS} edits in ${seconds.toFixed(1)} s (${(EDITS / seconds).toFixed(1)}/s), ` +
      `${requests} requests (${(requests / seconds).toFixed(0)}/s), ${log.length} log lines; ${pushes.join(', ')}`,
  );
  expect(log.length).toBeGreaterThan(requests);
  expect(log.filter(({ line }) => line.endsWith('/unknown')).map(({ flags }) => flags)).toEqual(['NR']);
  expect(log.filter((entry) => isBreak(entry) && !entry.line.endsWith('/unknown')).slice(0, 20)).toEqual([]);
  for (const load of loads) expect(load).toEqual({ ...load, results: { 200: load.requests }, examples: [] });
  expect(requests).toBeGreaterThan(EDITS);
}, 300_000);
