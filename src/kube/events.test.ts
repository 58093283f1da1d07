import { describe, expect, onTestFinished, test } from 'vitest';
import { ManualClock } from '../kit/manual-clock.ts';
import type { EventNote, EventSubject } from './api.ts';
import { ApiEventRecorder, type EventLimits } from './events.ts';
import { asRecord } from './json.ts';
import { connected } from './testing/connected.ts';
import { countingLog } from './testing/copy.ts';
import { type Respond, refuse } from './testing/fake-api-server.ts';
import { FakeCluster } from './testing/fake-cluster.ts';

const reviews: EventSubject = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  namespace: 'shop',
  name: 'reviews',
  uid: '7f9c',
};
const refused: EventNote = { type: 'Warning', reason: 'Refused', message: 'by 1 of 12 proxies', action: 'Program' };
const MINUTE = 60_000;

async function recording(takeover?: Respond, limits: Partial<EventLimits> = {}) {
  const cluster = new FakeCluster();
  const state = { takeover };
  const { api, server } = await connected((request, response) =>
    (state.takeover ?? cluster.respond)(request, response),
  );
  const clock = new ManualClock(1_700_000_000_000);
  const { log, lines } = countingLog();
  const metrics = (await connected(() => undefined)).metrics;
  const recorder = new ApiEventRecorder({ api, clock, log, metrics }, reporter, limits);
  const stop = new AbortController();
  const running = recorder.run(stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await running;
  });
  const events = () => cluster.list('events');
  return { cluster, state, server, clock, lines, metrics, recorder, events };
}

const reporter = { controller: 'xebec.dev/control-plane', instance: 'xebec-0' };

describe('events', () => {
  test('say what kubectl shows', async () => {
    const { recorder, server, events } = await recording();
    recorder.record(reviews, refused);
    await expect.poll(() => events().length).toBe(1);
    expect(server.requests[0]?.path).toBe('/apis/events.k8s.io/v1/namespaces/shop/events');
    expect(events()[0]).toEqual({
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { namespace: 'shop', name: expect.stringMatching(/^reviews\.[0-9a-f]{16}$/), resourceVersion: '101' },
      eventTime: '2023-11-14T22:13:20.000000Z',
      type: 'Warning',
      reason: 'Refused',
      action: 'Program',
      note: 'by 1 of 12 proxies',
      regarding: {
        apiVersion: 'networking.istio.io/v1',
        kind: 'VirtualService',
        namespace: 'shop',
        name: 'reviews',
        uid: '7f9c',
      },
      reportingController: 'xebec.dev/control-plane',
      reportingInstance: 'xebec-0',
    });
  });

  test('of what has no namespace are in the default one, and too long a message is cut between characters', async () => {
    const { recorder, events } = await recording();
    recorder.record({ ...reviews, namespace: '', uid: undefined }, { ...refused, message: 'ü'.repeat(1_000) });
    await expect.poll(() => events().length).toBe(1);
    const [event] = events();
    expect(asRecord(event?.['metadata'])['namespace']).toBe('default');
    expect(asRecord(event?.['regarding'])).not.toHaveProperty('namespace');
    expect(event?.['note']).toBe(`${'ü'.repeat(510)}…`);
  });

  test('that repeat are one object, written once in ten minutes, with their count', async () => {
    const { recorder, server, clock, events } = await recording();
    recorder.record(reviews, refused);
    await expect.poll(() => [server.requests.length, clock.sleeping]).toEqual([1, 1]);
    for (let minute = 0; minute < 9; minute += 1) {
      recorder.record(reviews, refused);
      await clock.advance(MINUTE);
    }
    expect(server.requests.length).toBe(1);
    await clock.advance(MINUTE);
    await expect.poll(() => server.requests.length).toBe(2);
    await expect
      .poll(() => events()[0]?.['series'])
      .toEqual({
        count: 10,
        lastObservedTime: '2023-11-14T22:21:20.000000Z',
      });
    await expect.poll(() => clock.sleeping).toBe(1);
    await clock.advance(30 * MINUTE);
    recorder.record(reviews, refused);
    await expect.poll(() => asRecord(events()[0]?.['series'])['count']).toBe(11);
    expect([server.requests.length, events().length]).toEqual([3, 1]);
  });

  test('that come together before the first is written are one series from the start', async () => {
    const { recorder, server, events } = await recording();
    for (let count = 0; count < 5; count += 1) recorder.record(reviews, refused);
    await expect.poll(() => events().length).toBe(1);
    expect(asRecord(events()[0]?.['series'])['count']).toBe(5);
    expect(server.requests.length).toBe(1);
  });

  test('with another reason, of another object or (later) with other words are others', async () => {
    const { recorder, clock, events } = await recording();
    recorder.record(reviews, refused);
    recorder.record(reviews, { ...refused, type: 'Normal', reason: 'Accepted' });
    recorder.record({ ...reviews, name: 'ratings' }, refused);
    await expect.poll(() => [events().length, clock.sleeping]).toEqual([3, 1]);
    recorder.record(reviews, { ...refused, message: 'by 2 of 12 proxies' });
    await clock.advance(11 * MINUTE);
    await expect.poll(() => events().length).toBe(4);
    expect(events().map((event) => event['note'])).toContain('by 2 of 12 proxies');
  });

  test('that the API server has forgotten begin anew', async () => {
    const { recorder, cluster, clock, events } = await recording();
    recorder.record(reviews, refused);
    await expect.poll(() => [events().length, clock.sleeping]).toEqual([1, 1]);
    const [event] = events();
    cluster.remove('events', 'shop', String(asRecord(event?.['metadata'])['name']));
    await clock.advance(11 * MINUTE);
    recorder.record(reviews, refused);
    await expect.poll(() => events().length).toBe(1);
    expect(events()[0]).not.toHaveProperty('series');
  });

  test('stay within the budget', async () => {
    const { recorder, server, clock } = await recording(undefined, { burst: 10, perSecond: 5 });
    for (let count = 0; count < 100; count += 1) recorder.record({ ...reviews, name: `r${count}` }, refused);
    await expect.poll(() => [server.requests.length, clock.sleeping]).toEqual([10, 1]);
    await clock.advance(200);
    await expect.poll(() => [server.requests.length, clock.sleeping]).toEqual([11, 1]);
    for (let writes = 12; writes <= 100; writes += 1) {
      await clock.advance(200);
      await expect.poll(() => server.requests.length, { interval: 2 }).toBe(writes);
      await expect.poll(() => clock.sleeping, { interval: 2 }).toBe(1);
    }
  });

  test('that are too many are dropped and counted, and memory is free again later', async () => {
    const { recorder, clock, metrics, events } = await recording(undefined, { memory: 10 });
    for (let count = 0; count < 25; count += 1) recorder.record({ ...reviews, name: `r${count}` }, refused);
    await expect.poll(() => [events().length, clock.sleeping]).toEqual([10, 1]);
    expect(await metrics.expose()).toContain('xebec_kube_events_dropped_total{reason="memory"} 15');
    await clock.advance(11 * MINUTE);
    recorder.record({ ...reviews, name: 'later' }, refused);
    await expect.poll(() => events().length).toBe(11);
  });

  test('that may not be written are dropped and counted, told once, and not tried all the time', async () => {
    const { recorder, server, lines, metrics } = await recording((_, response) =>
      refuse(response, { code: 403, reason: 'Forbidden', message: 'no events for you' }),
    );
    for (let count = 0; count < 3; count += 1) recorder.record({ ...reviews, name: `r${count}` }, refused);
    await expect.poll(() => server.requests.length).toBe(3);
    recorder.record({ ...reviews, name: 'r0' }, refused);
    await expect.poll(async () => await metrics.expose()).toContain('dropped_total{reason="forbidden"} 3');
    expect([server.requests.length, lines]).toEqual([
      3,
      ['warn Events cannot be written; they are dropped and counted'],
    ]);
  });

  test('that find no server are dropped, and the next is tried', async () => {
    const { recorder, state, metrics, events } = await recording((_, response) => void response.destroy());
    recorder.record(reviews, refused);
    await expect.poll(async () => await metrics.expose()).toContain('dropped_total{reason="unreachable"} 1');
    state.takeover = undefined;
    recorder.record(reviews, refused);
    await expect.poll(() => events().length).toBe(1);
  });
});
