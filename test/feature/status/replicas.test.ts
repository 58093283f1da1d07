import { createServer, type Server } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { LocalDistribution } from '../../../src/app/status/local-distribution.ts';
import { MeshDistribution } from '../../../src/app/status/mesh-distribution.ts';
import type { Distribution } from '../../../src/galley/status/distribution.ts';
import { ManualClock } from '../../../src/kit/manual-clock.ts';
import { systemClock } from '../../../src/kit/system-clock.ts';
import { objectKey } from '../../../src/model/ids.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { type Manifest, virtualService } from '../pilot/support/manifests.ts';
import { node, TestProcess } from '../pilot/support/process.ts';
import { REVIEWS, shop } from '../pilot/support/shop.ts';
import { fromApi } from './support/statuses.ts';
import { WrittenMesh } from './support/written.ts';

const key = objectKey('VirtualService', 'shop', 'reviews');
const forever = new AbortController().signal;

function reviews(prefix: string, generation: number): Manifest {
  const http = [{ match: [{ uri: { prefix } }], route: [{ destination: { host: REVIEWS } }] }];
  return fromApi(virtualService('shop/reviews', { hosts: [REVIEWS], http }), generation);
}

async function replica(clients: number, objects: readonly Manifest[] = [reviews('/a', 1)]): Promise<TestProcess> {
  const mesh = await TestProcess.start([...shop, ...objects]);
  for (let index = 1; index <= clients; index += 1) await mesh.connect(node(`shop/web-${index}`, `10.1.7.${index}`));
  return mesh;
}

function localOf({ xebec: { galley, pilot, xds, verdicts } }: TestProcess): LocalDistribution {
  const config = (): unknown => galley.snapshot();
  return new LocalDistribution({ pilot, xds, reports: verdicts, config, clock: systemClock });
}

function ask(mesh: TestProcess, addresses: readonly string[]): Promise<Distribution> {
  const peers = { addresses: () => addresses };
  const facts = new MeshDistribution({ local: localOf(mesh), peers, clock: systemClock, log: silentLogger });
  return facts.read(true, forever);
}

/** Somebody else at the port of a replica. */
async function stranger(body: string | undefined): Promise<string> {
  const server: Server = createServer((_, response) => {
    if (body !== undefined) response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? `127.0.0.1:${address.port}` : '';
}

describe('replicas', () => {
  test('add up what their proxies have', async () => {
    const [one, two, three] = [await replica(1), await replica(2), await replica(3)];
    const found = await ask(one, [two.adminAddress, three.adminAddress]);
    expect(found).toMatchObject({ replicas: 3, silent: 0, isBehind: false });
    expect(found.objects.get(key)).toMatchObject({ generation: 1, known: 6, programmed: 6 });
  });

  test('count proxies of an older generation as not decided', async () => {
    const [one, two] = [await replica(1, [reviews('/b', 2)]), await replica(2)];
    const found = await ask(one, [two.adminAddress]);
    expect(found.objects.get(key)).toMatchObject({ generation: 2, known: 1, programmed: 1, undecided: 2 });
    const other = await ask(two, [one.adminAddress]);
    expect(other.objects.get(key)).toMatchObject({ generation: 2, known: 1, programmed: 1, undecided: 2 });
  });

  test('tell each other what a proxy refused', async () => {
    const [one, two] = [await replica(1), await replica(0)];
    const envoy = await two.connect(node('shop/web-7', '10.1.7.7'));
    envoy.judge = (kind, { message }) =>
      kind === 'route' && JSON.stringify(message).includes('/bad') ? 'no good' : undefined;
    await one.apply(reviews('/bad', 2));
    await two.apply(reviews('/bad', 2));
    const counts = (await ask(one, [two.adminAddress])).objects.get(key);
    expect(counts).toMatchObject({ known: 2, programmed: 1, refused: 1 });
    expect(counts?.refusals).toMatchObject([{ error: 'no good', proxy: 'web-7', path: 'spec.http[0]', blame: 'this' }]);
  });

  test('say only once what did not change', async () => {
    const two = await replica(1);
    const first = JSON.parse((await two.page('/debug/distributionz')).text) as { version: string; objects: Manifest };
    expect(Object.keys(first.objects)).toEqual([key]);
    const again = JSON.parse((await two.page(`/debug/distributionz?have=${first.version}`)).text) as typeof first;
    expect(again).toEqual({ version: first.version, isBehind: false, objects: {} });
    await two.apply(reviews('/b', 2));
    const third = JSON.parse((await two.page(`/debug/distributionz?have=${first.version}`)).text) as typeof first;
    expect(third.version).not.toBe(first.version);
    expect(third.objects[key]).toEqual([2, 1, 0, 0, 0, 0, []]);
  });

  test('that do not answer, or answer nonsense, are counted as silent', async () => {
    const one = await replica(1);
    const strangers = await Promise.all(
      ['', 'nonsense', '{"version":1}', '{"version":"1","isBehind":false,"objects":{"a":["x"]}}'].map(stranger),
    );
    const found = await ask(one, [...strangers, '127.0.0.1:1']);
    expect(found).toMatchObject({ replicas: 6, silent: 5 });
    expect(found.objects.get(key)).toMatchObject({ known: 1, programmed: 1 });
  });

  test('that hang are waited for no longer than two seconds', async () => {
    const one = await replica(1);
    const clock = new ManualClock();
    const peers = { addresses: (): readonly string[] => [hanging] };
    const hanging = await stranger(undefined);
    const facts = new MeshDistribution({ local: localOf(one), peers, clock, log: silentLogger });
    const asked = facts.read(true, forever);
    while (clock.sleeping === 0) await clock.yield();
    await clock.advance(2_000);
    expect(await asked).toMatchObject({ replicas: 2, silent: 1 });
  });
});

test('with a silent replica nothing becomes programmed, and nothing that was is taken back', async () => {
  let addresses: readonly string[] = [];
  const clock = new ManualClock();
  const written = await WrittenMesh.start([...shop, reviews('/a', 1)], clock, {
    peers: { addresses: () => addresses },
  });
  await written.mesh.connect(node('shop/web-1', '10.1.7.1'));
  const programmed = (): Manifest | undefined => {
    const status = written.body('shop/reviews')['status'] as { readonly conditions: readonly Manifest[] } | undefined;
    return status?.conditions.find(({ type }) => type === 'Programmed');
  };
  await written.pass(5_000);
  expect(programmed()).toMatchObject({ status: 'True', observedGeneration: 1 });
  addresses = ['127.0.0.1:1'];
  await written.pass(5_000);
  expect(programmed()).toMatchObject({ status: 'True', observedGeneration: 1 });
  await written.apply(reviews('/b', 2));
  await written.pass(5_000);
  expect(programmed()).toMatchObject({ status: 'Unknown', reason: 'Pending', observedGeneration: 2 });
  expect(programmed()?.['message']).toBe('1 of 2 replicas of xebec do not say what their proxies have');
  addresses = [];
  await written.pass(5_000);
  expect(programmed()).toMatchObject({ status: 'True', reason: 'Programmed', observedGeneration: 2 });
});
