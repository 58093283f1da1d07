import { describe, expect, test } from 'vitest';
import { ecKey, jwksOf } from '../../../test/support/tokens.ts';
import { ManualClock } from '../../kit/manual-clock.ts';
import { err, ok, type Result } from '../../kit/result.ts';
import type { ConfigObject } from '../../model/object.ts';
import { silentLogger } from '../../telemetry/logger.ts';
import { PromMetrics } from '../../telemetry/prom-metrics.ts';
import { object } from '../../testing/builders.ts';
import { configSnapshot } from '../../testing/config.ts';
import { Keys } from './keys.ts';

const MINUTE = 60_000;
const [one, two] = ['1', '2'].map((kid) => jwksOf([ecKey(kid)], { algorithms: true })) as [string, string];
const URL_A = 'https://a.example.com/keys';

type JwtRule = { readonly issuer: string; readonly jwksUri?: string; readonly timeout?: string };

function policy(name: string, ...jwtRules: readonly JwtRule[]): ConfigObject<'RequestAuthentication'> {
  return object('RequestAuthentication', name, { jwtRules });
}

function needing(...addresses: readonly string[]) {
  return configSnapshot([policy('a', ...addresses.map((jwksUri) => ({ issuer: 'i', jwksUri })))]);
}

/** Keys over pages that a test owns; a page that is absent never comes. */
class Bench {
  readonly clock = new ManualClock();
  readonly metrics = new PromMetrics();
  readonly pages = new Map<string, Result<string, string>>();
  readonly asked: string[] = [];
  readonly timeouts: number[] = [];
  changes = 0;
  inFlight = 0;
  mostInFlight = 0;
  readonly #stop = new AbortController();
  readonly keys = new Keys({
    fetch: (url, timeoutMs, signal) => this.#fetch(url, timeoutMs, signal),
    clock: this.clock,
    random: () => 0.5,
    log: silentLogger,
    metrics: this.metrics,
  });

  static async run(play: (bench: Bench) => Promise<void>): Promise<void> {
    const bench = new Bench();
    bench.keys.onChange(() => {
      bench.changes += 1;
    });
    const running = bench.keys.run(bench.#stop.signal);
    try {
      await play(bench);
    } finally {
      bench.#stop.abort();
      await running;
    }
  }

  async #fetch(url: string, timeoutMs: number, signal: AbortSignal): Promise<Result<string, string>> {
    this.asked.push(url);
    this.timeouts.push(timeoutMs);
    this.inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    const page = this.pages.get(url);
    if (page === undefined) await this.clock.sleep(timeoutMs, signal);
    this.inFlight -= 1;
    return page ?? err('there was no whole answer in time');
  }

  async advance(ms: number): Promise<void> {
    await this.clock.advance(ms);
    for (let turn = 0; turn < 20; turn += 1) await this.clock.yield();
  }

  knows(address: string): unknown {
    const known = this.keys.book().get(address);
    return known?.kind === 'known' ? JSON.parse(known.jwks) : known?.reason;
  }
}

describe('keys of token issuers', () => {
  test('are fetched, and again after twenty minutes; the same keys are the same object', () =>
    Bench.run(async (bench) => {
      bench.pages.set(URL_A, ok(one));
      bench.keys.prepare(needing(URL_A));
      await bench.advance(0);
      expect(bench.knows(URL_A)).toEqual(JSON.parse(one));
      const book = bench.keys.book();
      await bench.advance(21 * MINUTE);
      expect(bench.asked).toEqual([URL_A, URL_A]);
      expect(bench.keys.book()).toBe(book);
      expect(bench.changes).toBe(1);
      bench.pages.set(URL_A, ok(two));
      await bench.advance(21 * MINUTE);
      expect(bench.knows(URL_A)).toEqual(JSON.parse(two));
      expect(bench.changes).toBe(2);
    }));

  test('that were good stay when fetching fails, and are fetched sooner', () =>
    Bench.run(async (bench) => {
      bench.pages.set(URL_A, ok(one));
      bench.keys.prepare(needing(URL_A));
      await bench.advance(0);
      const book = bench.keys.book();
      for (const answer of [err('the answer is 503'), ok('<html>'), ok('{"keys":[]}')]) {
        bench.pages.set(URL_A, answer);
        await bench.advance(25 * MINUTE);
        expect(bench.keys.book()).toBe(book);
      }
      expect(bench.asked.length).toBeGreaterThan(10);
      bench.pages.set(URL_A, ok(two));
      await bench.advance(5 * MINUTE);
      expect(bench.knows(URL_A)).toEqual(JSON.parse(two));
      const metrics = await bench.metrics.expose();
      expect(metrics).toContain('pilot_jwks_resolver_network_fetch_success_total 2\n');
      expect(metrics).toMatch(/pilot_jwks_resolver_network_fetch_fail_total \d\d/);
    }));

  test('2026-001 CVE-2026-31837: of an issuer that was never reached there are none, and it is said why', () =>
    Bench.run(async (bench) => {
      bench.pages.set(URL_A, err('the answer is 500'));
      bench.keys.prepare(needing(URL_A));
      await bench.advance(0);
      expect(bench.knows(URL_A)).toBe(`${URL_A}: the answer is 500`);
      const book = bench.keys.book();
      await bench.advance(60 * MINUTE);
      expect(bench.keys.book()).toBe(book);
      expect(bench.asked.length).toBeLessThan(40);
    }));

  test('are found by their issuer, which speaks for itself alone', () =>
    Bench.run(async (bench) => {
      const at = (issuer: string): string => `${issuer}/.well-known/openid-configuration`;
      const says = (document: object): Result<string, string> => ok(JSON.stringify(document));
      bench.pages.set(at('https://a'), says({ issuer: 'https://a', jwks_uri: URL_A }));
      bench.pages.set(at('https://b'), says({ issuer: 'https://a', jwks_uri: URL_A }));
      bench.pages.set(at('https://c'), says({ issuer: 'https://c' }));
      bench.pages.set(at('https://d'), says({ issuer: 'https://d', jwks_uri: 'http://10.0.0.1/' }));
      bench.pages.set(URL_A, ok(one));
      bench.pages.set('http://10.0.0.1/', err('10.0.0.1 is private, and so is not asked'));
      const issuers = ['https://a', 'https://b', 'https://c', 'https://d'];
      bench.keys.prepare(configSnapshot([policy('a', ...issuers.map((issuer) => ({ issuer })))]));
      await bench.advance(0);
      expect(issuers.map((issuer) => bench.knows(`issuer:${issuer}`))).toEqual([
        JSON.parse(one),
        `${at('https://b')}: what is there is about another issuer`,
        `${at('https://c')}: what is there has no jwks_uri`,
        `${at('https://d')}: its jwks_uri: 10.0.0.1 is private, and so is not asked`,
      ]);
    }));

  test('are fetched once however many need them, and forgotten an hour after the last', () =>
    Bench.run(async (bench) => {
      bench.pages.set(URL_A, ok(one));
      const rule = { issuer: 'i', jwksUri: URL_A };
      bench.keys.prepare(configSnapshot([policy('a', rule, rule), policy('b', rule)]));
      await bench.advance(0);
      expect(bench.asked).toEqual([URL_A]);
      bench.keys.prepare(configSnapshot([]));
      await bench.advance(59 * MINUTE);
      expect(bench.asked).toEqual([URL_A]);
      expect(bench.knows(URL_A)).toEqual(JSON.parse(one));
      await bench.advance(61 * MINUTE);
      expect(bench.knows(URL_A)).toBeUndefined();
    }));

  test('are not fetched too many at a time, nor for too long', () =>
    Bench.run(async (bench) => {
      const addresses = Array.from({ length: 100 }, (_, index) => `https://slow.example.com/${index}`);
      bench.keys.prepare(needing(...addresses));
      await bench.advance(4_000);
      expect(bench.mostInFlight).toBe(16);
      expect(new Set(bench.timeouts)).toEqual(new Set([5_000]));
      const limited = configSnapshot([policy('a', { issuer: 'i', jwksUri: URL_A, timeout: '1s' })]);
      bench.timeouts.length = 0;
      bench.keys.prepare(limited);
      await bench.advance(2 * MINUTE);
      expect(bench.timeouts).toContain(1_000);
    }));
});

describe('objects that need keys', () => {
  test('count when these are there, and until then as they were', () =>
    Bench.run(async (bench) => {
      const before = configSnapshot([policy('a', { issuer: 'i' })]);
      expect(bench.keys.prepare(before)).toBe(before);
      const [old] = before.objects.RequestAuthentication;
      const after = configSnapshot([
        policy('a', { issuer: 'i', jwksUri: URL_A }),
        policy('b', { issuer: 'i', jwksUri: URL_A }),
        policy('c'),
      ]);
      const names = (): readonly unknown[] => bench.keys.prepare(after).objects.RequestAuthentication;
      expect(names()).toEqual([old, after.objects.RequestAuthentication[2]]);
      expect(names()).toBe(names());
      bench.pages.set(URL_A, ok(one));
      await bench.advance(10_000);
      expect(bench.keys.prepare(after)).toBe(after);
    }));

  test('count at once where they say who needs a token, and had said nothing before', () =>
    Bench.run((bench) => {
      const jwtAt = (jwksUri: string) => ({ origins: [{ jwt: { issuer: 'i', jwksUri } }] });
      const first = configSnapshot([object('Policy', 'shop/default', jwtAt(URL_A))]);
      expect(bench.keys.prepare(first)).toBe(first);
      const changed = configSnapshot([object('Policy', 'shop/default', jwtAt('https://b.example.com/keys'))]);
      expect(bench.keys.prepare(changed).objects.Policy).toEqual(first.objects.Policy);
      return Promise.resolve();
    }));

  test('do not wait for long, whoever else names addresses at which nobody answers', () =>
    Bench.run(async (bench) => {
      const dead = Array.from({ length: 500 }, (_, index) => `https://dead.example.com/${index}`);
      const config = configSnapshot([
        policy('a', ...dead.map((jwksUri) => ({ issuer: 'i', jwksUri }))),
        policy('z', { issuer: 'i', jwksUri: URL_A }),
      ]);
      let isSettled = false;
      const settled = bench.keys.settle(config, new AbortController().signal).then(() => {
        isSettled = true;
      });
      await bench.advance(4_999);
      expect(isSettled).toBe(false);
      await bench.advance(2);
      expect(isSettled).toBe(true);
      await settled;
      expect(bench.keys.prepare(config)).toBe(config);
      expect(bench.knows(URL_A)).toBe('they were not fetched yet');
    }));

  test('a stopping process waits for nothing', () =>
    Bench.run(async (bench) => {
      const stop = new AbortController();
      const settled = bench.keys.settle(needing(URL_A), stop.signal);
      stop.abort();
      await settled;
    }));
});
