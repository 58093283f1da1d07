import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LeaseElector } from '../../../src/kube/elector.ts';
import { LeaseServer, Process, World } from '../../../src/kube/testing/world.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { PromMetrics } from '../../../src/telemetry/prom-metrics.ts';
import { Random } from '../../support/random.ts';

const REPLICAS = 3;

type Step =
  | { readonly kind: 'freeze' | 'thaw' | 'cut' | 'heal' | 'restart'; readonly replica: number }
  | { readonly kind: 'away' | 'back' | 'lossy' | 'reliable' }
  | { readonly kind: 'wait'; readonly ms: number };

const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constantFrom('freeze' as const, 'thaw' as const, 'cut' as const, 'heal' as const, 'restart' as const),
        replica: fc.nat(REPLICAS - 1),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('away' as const, 'back' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('lossy' as const, 'reliable' as const) }) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(40_000) }) },
  ) as fc.Arbitrary<Step>,
  { maxLength: 30 },
);

/** A replica that may be restarted. */
class Replica {
  process: Process;
  elector: LeaseElector;
  isCut = false;
  working = 0;
  #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  readonly #make: () => { readonly process: Process; readonly elector: LeaseElector };

  constructor(make: (replica: () => Replica) => { readonly process: Process; readonly elector: LeaseElector }) {
    this.#make = () => make(() => this);
    ({ process: this.process, elector: this.elector } = this.#make());
    this.#start();
  }

  /** Whether it would write now. */
  get writes(): boolean {
    return !this.process.isFrozen && this.working > 0 && this.elector.isLeader;
  }

  restart(): void {
    this.#stop.abort();
    ({ process: this.process, elector: this.elector } = this.#make());
    this.#start();
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  #start(): void {
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    this.working = 0;
    const before = this.#running;
    const { elector } = this;
    const work = async (stop: AbortSignal): Promise<void> => {
      this.working += 1;
      await new Promise<void>((resolve) => stop.addEventListener('abort', () => resolve(), { once: true }));
      if (elector === this.elector) this.working -= 1;
    };
    this.#running = Promise.all([before, elector.run(signal), elector.whileLeading(work, signal)]);
  }
}

function makeReplica(world: World, server: LeaseServer, random: Random, index: number): Replica {
  let starts = 0;
  return new Replica((replica) => {
    starts += 1;
    const process = new Process(world, random.below(1_200_000) - 600_000);
    const api = server.apiFor(process, () => replica().isCut);
    const deps = { api, clock: process, random: () => random.next(), log: silentLogger, metrics: new PromMetrics() };
    const lease = { namespace: 'istio-system', name: 'xebec' };
    return { process, elector: new LeaseElector(deps, { lease, identity: `xebec-${index}-${starts}` }) };
  });
}

function apply(step: Step, replicas: readonly Replica[], server: LeaseServer): void {
  if ('replica' in step) disturb(step.kind, replicas[step.replica]!);
  else if (step.kind === 'away' || step.kind === 'back') server.isAway = step.kind === 'away';
  else if (step.kind !== 'wait') server.lossPerMille = step.kind === 'lossy' ? 300 : 0;
}

function disturb(kind: 'freeze' | 'thaw' | 'cut' | 'heal' | 'restart', replica: Replica): void {
  if (kind === 'freeze' || kind === 'thaw') replica.process.isFrozen = kind === 'freeze';
  else if (kind === 'cut' || kind === 'heal') replica.isCut = kind === 'cut';
  else if (!replica.process.isFrozen) replica.restart();
}

test('however replicas freeze, are cut off and restart, with wrong clocks: never do two write, and in the end one leads', async () => {
  let terms = 0;
  await fc.assert(
    fc.asyncProperty(steps, fc.integer(), async (script, seed) => {
      const world = new World();
      const random = new Random(seed);
      const server = new LeaseServer(world, () => random.next());
      const replicas = Array.from({ length: REPLICAS }, (_, index) => makeReplica(world, server, random, index));
      let most = 0;
      const observe = (): void => {
        most = Math.max(most, replicas.filter(({ writes }) => writes).length);
      };
      for (const step of script) {
        apply(step, replicas, server);
        await world.advance(step.kind === 'wait' ? step.ms : 100, observe);
        expect(most).toBeLessThan(2);
      }
      for (const replica of replicas) {
        replica.process.isFrozen = false;
        replica.isCut = false;
      }
      server.isAway = false;
      server.lossPerMille = 0;
      await world.advance(120_000, observe);
      expect(most).toBe(1);
      // One answer that takes seconds may cost the leader its term; then another leads soon.
      for (let count = 0; count < 60 && !replicas.some(({ writes }) => writes); count += 1)
        await world.advance(1_000, observe);
      expect([most, replicas.filter(({ writes }) => writes).length]).toEqual([1, 1]);
      terms += 1;
      const ended = Promise.all(replicas.map((replica) => replica.end()));
      await world.advance(60_000, observe);
      await ended;
    }),
    { numRuns: 150 },
  );
  expect(terms).toBe(150);
});
