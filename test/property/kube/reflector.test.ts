import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { ManualClock } from '../../../src/kit/manual-clock.ts';
import { resourceVersionOf } from '../../../src/kube/json.ts';
import { Reflector } from '../../../src/kube/reflector.ts';
import { connected } from '../../../src/kube/testing/connected.ts';
import { gateway, gateways, keep } from '../../../src/kube/testing/copy.ts';
import { type Respond, refuse } from '../../../src/kube/testing/fake-api-server.ts';
import { FakeCluster } from '../../../src/kube/testing/fake-cluster.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { PromMetrics } from '../../../src/telemetry/prom-metrics.ts';
import { Random } from '../../support/random.ts';

type Disturbance = 'compact' | 'bookmark' | 'repeat' | 'end' | 'cut' | 'truncate' | 'wait';

/** What may happen, to the objects or on the way to them. */
type Step =
  | { readonly kind: 'put' | 'remove' | 'stale'; readonly name: string }
  | { readonly kind: Disturbance }
  | { readonly kind: 'refuse'; readonly code: number; readonly times: number };

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g');
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom('put', 'remove', 'stale'), name }) },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constantFrom<Disturbance>('compact', 'bookmark', 'repeat', 'end', 'cut', 'truncate', 'wait'),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('refuse' as const),
        code: fc.constantFrom(429, 500, 503, 504),
        times: fc.integer({ min: 1, max: 12 }),
      }),
    },
  ) as fc.Arbitrary<Step>,
  { maxLength: 40 },
);

/** A cluster that is hard to talk to. */
class Trouble {
  readonly cluster = new FakeCluster();
  readonly #old = new Map<string, object>();
  #refusals: { readonly code: number; left: number } = { code: 503, left: 0 };
  #count = 0;
  readonly cut: () => void;

  constructor(cut: () => void) {
    this.cut = cut;
  }

  readonly respond: Respond = (request, response) => {
    const { code, left } = this.#refusals;
    if (left > 0) {
      this.#refusals.left -= 1;
      refuse(response, { code, reason: 'Trouble', message: 'not now' }, { 'retry-after': '1' });
    } else this.cluster.respond(request, response);
  };

  do(step: Step): void {
    if (step.kind === 'refuse') this.#refusals = { code: step.code, left: step.times };
    else if ('name' in step) this.#change(step);
    else this.#disturb[step.kind]();
  }

  #change({ kind, name }: Step & { readonly name: string }): void {
    const old = this.#old.get(name);
    if (kind === 'put') this.#old.set(name, this.cluster.put('gateways', gateway(name, (this.#count += 1))));
    else if (kind === 'remove') this.cluster.remove('gateways', 'shop', name);
    else if (old !== undefined) for (const watch of this.cluster.watches) watch.event('MODIFIED', old);
  }

  readonly #disturb: Readonly<Record<Disturbance, () => void>> = {
    compact: () => this.cluster.compact(),
    bookmark: () => this.cluster.bookmark(),
    repeat: () => {
      const last = this.cluster.last('gateways');
      if (last !== undefined) for (const watch of this.cluster.watches) watch.event(last.type, last.object);
    },
    end: () => {
      for (const watch of this.cluster.watches) watch.end();
    },
    truncate: () => {
      for (const watch of this.cluster.watches) {
        watch.raw('{"type":"MODIFIED","object":{"metadata":{"name":"a","na');
        watch.end();
      }
    },
    cut: () => this.cut(),
    wait: () => undefined,
  };
}

test('whatever happens, the copy is in the end what a fresh list gives, and nothing is told that never was', async () => {
  let trouble: Trouble | undefined;
  const { server, api } = await connected((request, response) => trouble?.respond(request, response));
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(name), steps, fc.integer(), async (names, script, seed) => {
      const current = new Trouble(() => server.cut());
      trouble = current;
      for (const each of names) current.do({ kind: 'put', name: each });
      const clock = new ManualClock();
      const copy = new Map<string, string>();
      const wrong: string[] = [];
      const end = new AbortController();
      const random = new Random(seed);
      const reflector = new Reflector<{ readonly key: string; readonly version: string }>(
        { api, clock, random: () => random.next(), log: silentLogger, metrics: new PromMetrics() },
        {
          type: gateways,
          namespace: '',
          selectors: {},
          project: (object) => ({ key: keep(object).key, version: resourceVersionOf(object) }),
          keyOf: (object) => keep(object).key,
          onChange: ({ upserts, deletes }) => {
            for (const { key, version } of upserts) {
              // An object never goes back in time.
              if (Number(copy.get(key) ?? '0') >= Number(version)) wrong.push(`${key} was at ${version} already`);
              copy.set(key, version);
            }
            for (const key of deletes) if (!copy.delete(key)) wrong.push(`${key} was not there`);
          },
          onSynced: () => undefined,
          onState: () => undefined,
        },
      );
      const running = reflector.run(AbortSignal.any([stop.signal, end.signal]));
      for (const step of script) {
        current.do(step);
        await clock.advance(step.kind === 'wait' ? 20_000 : 50);
      }
      const isEqual = async (): Promise<boolean> => {
        await clock.advance(30_000);
        const fresh = current.cluster
          .list('gateways')
          .map((object) => `${keep(object).key} ${resourceVersionOf(object)}`);
        return (
          fresh.toSorted().join() ===
          [...copy]
            .map(([key, version]) => `${key} ${version}`)
            .toSorted()
            .join()
        );
      };
      await expect.poll(isEqual, { interval: 2, timeout: 10_000 }).toBe(true);
      end.abort();
      await running;
      expect(wrong).toEqual([]);
    }),
    { numRuns: 200 },
  );
});
