import { describe, expect, test } from 'vitest';
import { findRule } from './access.ts';
import { fileNameOf, splitDocuments } from './apply.ts';
import { findUpdate } from './effect.ts';
import { readSight, type Sight } from './observe.ts';
import { isPlausible } from './plausible.ts';
import { complain, renderSamples } from './play.ts';
import type { Expectation } from './tour.ts';

describe('what chance can do', () => {
  test('a share of all or nothing allows nothing else', () => {
    expect(isPlausible(100, 100, 1)).toBe(true);
    expect(isPlausible(99, 100, 1)).toBe(false);
    expect(isPlausible(0, 100, 0)).toBe(true);
    expect(isPlausible(1, 100, 0)).toBe(false);
  });

  test('between them it allows what comes oftener than once in a million', () => {
    expect([50, 80, 110].map((count) => isPlausible(count, 400, 0.2))).toEqual([true, true, true]);
    expect([40, 41, 120, 122].map((count) => isPlausible(count, 400, 0.2))).toEqual([false, false, true, false]);
    expect(isPlausible(150, 150, 0.5)).toBe(false);
  });

  test('a right share is never called wrong: the bound holds for what it excludes', () => {
    const allowed = Array.from({ length: 401 }, (_, count) => count).filter((count) => isPlausible(count, 400, 0.2));
    const chance = allowed.reduce((sum, count) => sum + binomial(count), 0);
    expect(1 - chance).toBeLessThan(1e-6);
  });
});

/** The probability of `count` of 400 at one in five. */
function binomial(count: number): number {
  let log = count * Math.log(0.2) + (400 - count) * Math.log(0.8);
  for (let index = 1; index <= count; index++) log += Math.log((400 - count + index) / index);
  return Math.exp(log);
}

describe('what a page shows', () => {
  test.each<[string, Sight]>([
    ['<section id="reviews">fine</section>', 'no stars'],
    ['<section id="reviews"><span data-color="black">', 'black stars'],
    ['<section id="reviews"><span data-color="red">', 'red stars'],
    ['<section id="reviews">Ratings service is currently unavailable', 'ratings unavailable'],
    ['<h2>Error fetching product reviews!</h2>', 'reviews unavailable'],
    ['upstream connect error', 'no page'],
  ])('%s', (page, sight) => {
    expect(readSight(page)).toBe(sight);
  });

  const expectation: Expectation = {
    user: undefined,
    requests: 100,
    concurrency: 1,
    shares: { 'no stars': 1 },
    ms: { from: 0, to: 100 },
  };

  test('what was not expected is told with both numbers', () => {
    const sample = {
      total: 100,
      counts: new Map<Sight, number>([
        ['no stars', 99],
        ['no page', 1],
      ]),
      medianMs: 250,
    };
    expect(complain(expectation, sample)).toEqual([
      'anybody: no stars on 99 % of 100 pages, expected 100 %',
      'anybody: no page on 1 % of 100 pages, expected 0 %',
      'anybody: a page takes 250 ms, expected 0 ms to 100 ms',
    ]);
    expect(renderSamples([{ expectation, sample }])).toMatch(
      /WHO +PAGES +NO STARS +NO PAGE +TAKES\n +anybody +100 +99 % +1 % +250 ms/,
    );
  });

  test('what was expected is not', () => {
    const sample = { total: 100, counts: new Map<Sight, number>([['no stars', 100]]), medianMs: 50 };
    expect(complain(expectation, sample)).toEqual([]);
  });
});

describe('how an edit is followed', () => {
  const document = 'apiVersion: v1\nkind: VirtualService\nmetadata:\n  name: reviews\nspec: {}\n';

  test('documents go to files named after their objects', () => {
    const documents = splitDocuments(
      `# about it\n${document}---\nkind: Gateway\nmetadata:\n  name: web\n---\n# nothing\n`,
    );
    expect(documents.map(fileNameOf)).toEqual(['virtualservice-reviews.yaml', 'gateway-web.yaml']);
    const elsewhere = 'kind: Deployment\nmetadata:\n  name: sleep\n  namespace: legacy\n';
    expect(fileNameOf(elsewhere)).toBe('deployment-sleep.legacy.yaml');
  });

  test('only the resource that was asked for, and only once it says so, is an update', () => {
    const effect = { deployment: 'productpage-v1', resource: 'routes', name: '9080', says: '"weight":20' } as const;
    const dump = (name: string, weight: number): string =>
      JSON.stringify({
        configs: [{ route_config: { name, routes: [{ weight }] }, last_updated: '2026-01-02T03:04:05.678Z' }],
      });
    expect(findUpdate(dump('9080', 20), effect)).toBe(Date.parse('2026-01-02T03:04:05.678Z'));
    expect(findUpdate(dump('9080', 80), effect)).toBeUndefined();
    expect(findUpdate(dump('80', 20), effect)).toBeUndefined();
    expect(findUpdate('not JSON', effect)).toBeUndefined();
  });

  test('a listener says it of its state', () => {
    const effect = { deployment: 'web', resource: 'listeners', name: 'virtualInbound', says: 'STRICT' } as const;
    const state = { listener: { name: 'virtualInbound', is: 'STRICT' }, last_updated: '2026-01-02T03:04:05.678Z' };
    const dump = JSON.stringify({ configs: [{ name: 'virtualInbound', active_state: state }] });
    expect(findUpdate(dump, effect)).toBe(Date.parse('2026-01-02T03:04:05.678Z'));
  });

  test('the rule that denied a request is in the log', () => {
    const line = (path: string, details: string): string => `[t] "GET ${path} HTTP/1.1" 403 - ${details} - "-" 0\n`;
    const matched = 'rbac_access_denied_matched_policy';
    const log = [
      line('/a', `${matched}[none]`),
      line('/b', `${matched}[ns[default]-policy[deny-sleep]-rule[0]]`),
      line('/c', 'via_upstream'),
    ].join('');
    expect(['/a', '/b', '/c', '/d'].map((path) => findRule(log, path))).toEqual([
      'none',
      'ns[default]-policy[deny-sleep]-rule[0]',
      undefined,
      undefined,
    ]);
  });
});
