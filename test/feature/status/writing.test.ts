import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../../src/kit/manual-clock.ts';
import { type Manifest, virtualService } from '../pilot/support/manifests.ts';
import { REVIEWS, shop, shopClient } from '../pilot/support/shop.ts';
import { type FakeKube, refusal } from './support/fake-kube.ts';
import { fromApi } from './support/statuses.ts';
import { WrittenMesh } from './support/written.ts';

const vs = 'shop/reviews';

function reviews(prefix: string, gateways?: readonly string[]): Manifest {
  const http = [{ match: [{ uri: { prefix } }], route: [{ destination: { host: REVIEWS } }] }];
  return virtualService(vs, { hosts: [REVIEWS], http, ...(gateways === undefined ? {} : { gateways }) });
}

async function start(
  objects: readonly Manifest[] = [fromApi(reviews('/a'), 1)],
  refuse: FakeKube['refuse'] = () => undefined,
): Promise<WrittenMesh> {
  const written = await WrittenMesh.start([...shop, ...objects], new ManualClock(), { leads: false });
  await written.mesh.connect(shopClient);
  written.kube.refuse = refuse;
  written.leadership.lead();
  return written;
}

function lines(written: WrittenMesh, level: string): readonly Readonly<Record<string, unknown>>[] {
  return written.log
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
    .filter((line) => line['level'] === level);
}

function programmed(written: WrittenMesh): Manifest | undefined {
  const status = written.body(vs)['status'] as { readonly conditions: readonly Manifest[] } | undefined;
  return status?.conditions.find(({ type }) => type === 'Programmed');
}

describe('writing a status', () => {
  test('says of which very version of the object it is', async () => {
    const written = await start();
    await written.pass(4_000);
    const [first] = written.kube.of(vs);
    expect(first?.type).toEqual({ group: 'networking.istio.io', version: 'v1', plural: 'virtualservices' });
    expect(first?.object).toMatchObject({
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { namespace: 'shop', name: 'reviews', uid: 'VirtualService-shop-reviews', resourceVersion: '11' },
    });
  });

  test('uses the version that the object was read in', async () => {
    const old = { ...fromApi(reviews('/a'), 1), apiVersion: 'networking.istio.io/v1alpha3' };
    const written = await start([old]);
    await written.pass(4_000);
    expect(written.kube.of(vs)[0]?.type.version).toBe('v1alpha3');
  });

  test('is left out for objects that are not in an API, and for kinds of Kubernetes', async () => {
    const written = await start([reviews('/a'), fromApi(shop[0] ?? {}, 1)]);
    await written.pass(10_000);
    expect(written.kube.applies).toEqual([]);
  });

  test('that is forbidden is told once, with what to grant, and tried again every minute', async () => {
    const written = await start(undefined, () => refusal('forbidden', 403));
    await written.pass(170_000);
    expect(written.kube.of(vs).length).toBeGreaterThan(1);
    expect(written.kube.of(vs).length).toBeLessThanOrEqual(4);
    expect(lines(written, 'error')).toMatchObject([{ resource: 'virtualservices.networking.istio.io/status' }]);
    written.kube.refuse = () => undefined;
    await written.pass(61_000);
    expect(programmed(written)).toMatchObject({ status: 'True' });
  });

  test('that meets another writer is tried again with what is there then', async () => {
    const written = await start(undefined, () => refusal('conflict', 409));
    await written.pass(3_000);
    const tries = written.kube.applies.length;
    expect(tries).toBeGreaterThan(0);
    written.kube.refuse = () => undefined;
    written.send({
      ...written.body(vs),
      metadata: { ...(written.body(vs)['metadata'] as Manifest), resourceVersion: '77' },
    });
    await written.pass(5_000);
    expect(written.kube.of(vs).at(-1)?.object['metadata']).toMatchObject({ resourceVersion: '77' });
    expect(programmed(written)).toMatchObject({ status: 'True' });
    expect(lines(written, 'error')).toEqual([]);
  });

  test('of an object that is gone is given up', async () => {
    const written = await start(undefined, () => refusal('not-found', 404));
    await written.pass(30_000);
    expect(written.kube.of(vs)).toHaveLength(1);
    expect(lines(written, 'error')).toEqual([]);
  });

  test('goes on when the API server is back, and says twice that it was away', async () => {
    const written = await start(undefined, () => refusal('unreachable', 0));
    await written.pass(20_000);
    expect(written.kube.of(vs).length).toBeLessThanOrEqual(11);
    expect(lines(written, 'warn')).toHaveLength(1);
    written.kube.refuse = () => undefined;
    await written.pass(5_000);
    expect(programmed(written)).toMatchObject({ status: 'True' });
    expect(lines(written, 'info').map(({ msg }) => msg)).toContain('statuses can be written again');
  });

  test('waits as long as the API server asks', async () => {
    const written = await start(undefined, () => ({ ...refusal('too-many-requests', 429), retryAfterMs: 9_000 }));
    await written.pass(8_000);
    expect(written.kube.of(vs)).toHaveLength(1);
  });

  test('that the API server finds invalid is told, and does not stop the others', async () => {
    const written = await start(
      [
        fromApi(reviews('/a'), 1),
        fromApi(
          virtualService('shop/other', {
            hosts: ['a.example.com'],
            http: [{ route: [{ destination: { host: REVIEWS } }] }],
          }),
          1,
        ),
      ],
      (name) => (name === vs ? refusal('invalid', 422) : undefined),
    );
    await written.pass(20_000);
    expect(written.kube.of(vs)).toHaveLength(1);
    expect(written.body('shop/other')['status']).toBeDefined();
    expect(lines(written, 'error')).toHaveLength(1);
  });

  test('that leaves nothing behind is not done again: fields of others cannot be taken away', async () => {
    const foreign = { validationMessages: [{ type: { code: 'IST9999' }, level: 'ERROR' }] };
    const written = await start([fromApi(reviews('/a'), 1, foreign)]);
    written.kube.merge = (object) => ({ ...object, status: { ...(object['status'] as Manifest), ...foreign } });
    await written.pass(30_000);
    expect(written.kube.of(vs).length).toBeLessThanOrEqual(3);
  });

  test('ends with the leadership, and is taken up by the next leader from what it finds', async () => {
    const written = await start();
    await written.pass(5_000);
    written.leadership.lose();
    const count = written.kube.applies.length;
    await written.apply(fromApi(reviews('/b'), 2));
    await written.pass(5_000);
    expect(written.kube.applies).toHaveLength(count);
    written.leadership.lead();
    await written.pass(5_000);
    expect(programmed(written)).toMatchObject({ status: 'True', observedGeneration: 2 });
  });

  test('remembers across restarts what was programmed, and says nothing twice', async () => {
    const before = await start();
    await before.pass(5_000);
    const written = await WrittenMesh.start([...shop, before.body(vs)], new ManualClock());
    await written.pass(10_000);
    // Nobody is connected yet: that takes nothing back, but the count is what it is.
    expect(programmed(written)).toMatchObject({ status: 'True', reason: 'Programmed' });
    const transitions = [before, written].map((each) => programmed(each)?.['lastTransitionTime']);
    expect(transitions[0]).toBe(transitions[1]);
    expect(written.kube.events).toEqual([]);
  });
});

describe('an Event', () => {
  test('tells of a reference that is missing once it is in the status, and of nothing else', async () => {
    const written = await start([fromApi(reviews('/a', ['none']), 1)], () => refusal('unreachable', 0));
    await written.pass(5_000);
    expect(written.kube.events).toEqual([]);
    written.kube.refuse = () => undefined;
    await written.pass(20_000);
    expect(written.kube.events).toMatchObject([
      {
        subject: { kind: 'VirtualService', namespace: 'shop', name: 'reviews', uid: 'VirtualService-shop-reviews' },
        note: { type: 'Warning', reason: 'ReferenceMissing', action: 'Resolve' },
      },
    ]);
  });

  test('tells of a conflict', async () => {
    const rival = virtualService('shop/rival', {
      hosts: [REVIEWS],
      http: [{ route: [{ destination: { host: REVIEWS } }] }],
    });
    const written = await start([fromApi(reviews('/a'), 1), fromApi(rival, 1)]);
    await written.pass(10_000);
    expect(written.kube.events.map(({ note: { reason } }) => reason)).toEqual(['Conflict', 'Conflict']);
    const status = written.body(vs)['status'] as { readonly conditions: readonly Manifest[] };
    expect(status.conditions.map(({ type }) => type)).toEqual(['Accepted', 'ResolvedRefs', 'Conflicted', 'Programmed']);
    expect(status.conditions[2]).toMatchObject({ status: 'True', reason: 'HostConflict' });
    written.mesh.source.delete('VirtualService', 'shop', 'rival');
    await written.pass(10_000);
    const after = written.body(vs)['status'] as { readonly conditions: readonly Manifest[] };
    expect(after.conditions.map(({ type }) => type)).toEqual(['Accepted', 'ResolvedRefs', 'Programmed']);
  });
});
