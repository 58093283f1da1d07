import { describe, expect, onTestFinished, test } from 'vitest';
import { PromMetrics } from '../telemetry/prom-metrics.ts';
import type { KubeApi, KubeObject } from './api.ts';
import { LeaseElector } from './elector.ts';
import { asRecord } from './json.ts';
import { countingLog } from './testing/copy.ts';
import { LeaseServer, Process, World } from './testing/world.ts';

const lease = { namespace: 'istio-system', name: 'xebec' };

function stage() {
  const world = new World();
  // Every call takes ten milliseconds each way.
  const server = new LeaseServer(world, () => 0.5);
  const pass = (ms: number): Promise<void> => world.advance(ms, () => undefined);
  const join = (identity: string, more: { readonly api?: Partial<KubeApi>; readonly skew?: number } = {}) => {
    const process = new Process(world, more.skew ?? 0);
    const link = { isCut: false };
    const api = { ...server.apiFor(process, () => link.isCut), ...more.api };
    const { log, lines } = countingLog();
    const metrics = new PromMetrics();
    const elector = new LeaseElector({ api, clock: process, random: () => 0, log, metrics }, { lease, identity });
    const stop = new AbortController();
    const running = elector.run(stop.signal);
    const leave = async (): Promise<void> => {
      stop.abort();
      const ended = running.then(() => true);
      for (let rounds = 0; rounds < 100 && !(await Promise.race([ended, pass(200)])); rounds += 1);
      await running;
    };
    onTestFinished(leave);
    return { process, link, elector, lines, metrics, leave };
  };
  return { world, server, pass, join };
}

function specOf(server: LeaseServer): KubeObject {
  return asRecord(server.lease?.['spec']);
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

describe('an election', () => {
  test('makes the Lease, and says in it what others need to know', async () => {
    const { server, pass, join } = stage();
    const { elector } = join('a');
    expect(elector.isLeader).toBe(false);
    await pass(100);
    expect(elector.isLeader).toBe(true);
    const spec = specOf(server);
    expect(spec).toEqual({
      holderIdentity: 'a',
      leaseDurationSeconds: 12,
      leaseTransitions: 1,
      acquireTime: expect.stringMatching(/^2023-11-14T22:13:20\.\d{6}Z$/),
      renewTime: spec['acquireTime'],
    });
    await pass(5_000);
    expect(specOf(server)).toMatchObject({ leaseTransitions: 1, acquireTime: spec['acquireTime'] });
    expect(specOf(server)['renewTime']).not.toBe(spec['renewTime']);
  });

  test('has one winner, whose clock may be wrong', async () => {
    const { pass, join } = stage();
    const a = join('a', { skew: -600_000 });
    await pass(100);
    const b = join('b', { skew: 600_000 });
    await pass(600_000);
    expect([a.elector.isLeader, b.elector.isLeader]).toEqual([true, false]);
  });

  test('is won at once when the leader leaves, and later when it dies', async () => {
    const { pass, join } = stage();
    const a = join('a');
    await pass(100);
    const b = join('b');
    await pass(3_000);
    await a.leave();
    await pass(2_500);
    expect(b.elector.isLeader).toBe(true);
    const c = join('c');
    await pass(3_000);
    b.process.isFrozen = true;
    await pass(12_000);
    expect(c.elector.isLeader).toBe(false);
    await pass(6_000);
    expect(c.elector.isLeader).toBe(true);
    b.process.isFrozen = false;
    expect(b.elector.isLeader).toBe(false);
    await pass(30_000);
    expect([b.elector.isLeader, c.elector.isLeader]).toEqual([false, true]);
    expect(await b.metrics.expose()).toContain('xebec_kube_leader 0');
  });

  test('is lost by a leader that is cut off before another can win, and comes back when the server does', async () => {
    const { server, pass, join } = stage();
    const a = join('a');
    await pass(100);
    const b = join('b');
    await pass(3_000);
    server.isAway = true;
    await pass(10_100);
    expect([a.elector.isLeader, b.elector.isLeader]).toEqual([false, false]);
    await pass(1_800_000);
    expect([a.elector.isLeader, b.elector.isLeader]).toEqual([false, false]);
    expect(a.lines.filter((line) => line.startsWith('warn'))).toEqual([
      'warn the Lease of the leader cannot be read or written; it is tried again',
      'warn this replica leads no more',
    ]);
    server.isAway = false;
    await pass(20_000);
    expect([a, b].filter(({ elector }) => elector.isLeader).length).toBe(1);
  });

  test('survives that somebody edits or deletes the Lease', async () => {
    const { server, pass, join } = stage();
    const a = join('a');
    await pass(100);
    server.lease = {
      ...server.lease,
      metadata: { ...asRecord(server.lease?.['metadata']), resourceVersion: 'edited', annotations: { by: 'ana' } },
    };
    await pass(3_000);
    expect(a.elector.isLeader).toBe(true);
    expect(server.lease['metadata']).toMatchObject({ annotations: { by: 'ana' } });
    server.lease = undefined;
    await pass(5_000);
    expect([a.elector.isLeader, specOf(server)['holderIdentity']]).toEqual([true, 'a']);
  });

  test('that may not be held says so once, and goes on', async () => {
    const { pass, join } = stage();
    const error = { reason: 'forbidden', status: 403, message: 'no leases for you', retryAfterMs: undefined } as const;
    const a = join('a', { api: { get: () => Promise.resolve({ ok: false, error }) } });
    await pass(60_000);
    expect([a.elector.isLeader, a.lines.length]).toEqual([false, 1]);
    expect(await a.metrics.expose()).toMatch(/xebec_kube_lease_errors_total\{reason="forbidden"\} [1-9]/);
  });

  test('wants times that fit', () => {
    const world = new World();
    const process = new Process(world, 0);
    const api = new LeaseServer(world, () => 0).apiFor(process, () => false);
    const deps = { api, clock: process, random: () => 0, log: countingLog().log, metrics: new PromMetrics() };
    const times = { leaseMs: 10, renewMs: 10, retryMs: 1 };
    expect(() => new LeaseElector(deps, { lease, identity: 'a', times })).toThrow('an election needs');
  });
});

describe('the work of the leader', () => {
  test('runs while it leads, each time anew, and never on another replica meanwhile', async () => {
    const { server, pass, join } = stage();
    const a = join('a');
    const journal: string[] = [];
    const stop = new AbortController();
    const working = a.elector.whileLeading(async (signal) => {
      journal.push('begin');
      await untilAborted(signal);
      journal.push('end');
    }, stop.signal);
    await pass(100);
    expect(journal).toEqual(['begin']);
    server.isAway = true;
    await pass(20_000);
    expect(journal).toEqual(['begin', 'end']);
    server.isAway = false;
    await pass(20_000);
    expect(journal).toEqual(['begin', 'end', 'begin']);
    stop.abort();
    await working;
    expect(journal).toEqual(['begin', 'end', 'begin', 'end']);
  });

  test('that is done is not done twice; that fails is begun again, later each time', async () => {
    const { pass, join } = stage();
    const a = join('a');
    const stop = new AbortController();
    let done = 0;
    let failed = 0;
    const both = Promise.all([
      a.elector.whileLeading(() => Promise.resolve(void (done += 1)), stop.signal),
      a.elector.whileLeading(() => {
        failed += 1;
        return Promise.reject(new Error('a bug'));
      }, stop.signal),
    ]);
    await pass(300_000);
    expect([done, failed]).toEqual([1, 15]);
    stop.abort();
    await both;
  });

  test('ends before the Lease is given back', async () => {
    const { server, pass, join, world } = stage();
    const a = join('a');
    const stop = new AbortController();
    let holderAtEnd: unknown;
    const working = a.elector.whileLeading(async (signal) => {
      await untilAborted(signal);
      await new Promise<void>((resolve) => void world.after(1_000, a.process, resolve));
      holderAtEnd = specOf(server)['holderIdentity'];
    }, stop.signal);
    await pass(100);
    await a.leave();
    expect([holderAtEnd, specOf(server)['holderIdentity']]).toEqual(['a', undefined]);
    stop.abort();
    await working;
  });

  test('that does not end keeps the Lease from others until it has run out', async () => {
    const { server, pass, join } = stage();
    const a = join('a');
    const stop = new AbortController();
    void a.elector.whileLeading(() => new Promise<void>(() => undefined), stop.signal);
    await pass(100);
    await a.leave();
    expect(specOf(server)['holderIdentity']).toBe('a');
  });
});
