import { describe, expect, test } from 'vitest';
import { makeServingPair } from '../citadel/serving-pair.ts';
import { planRotation, type RotationCase } from './rotation.ts';
import { certificatesIn, inspectPair, type ServingPair } from './serving-pair.ts';
import type { StoredPairs } from './stored-pairs.ts';

const DAY_MS = 86_400_000;
const start = Date.UTC(2026, 0, 1);
const dnsNames = ['xebec.istio-system.svc'];

function pairAt(days: number, names: readonly string[] = dnsNames): ServingPair {
  return makeServingPair({ dnsNames: names, now: start + days * DAY_MS, lifetimeMs: 90 * DAY_MS });
}

const [current, other] = [pairAt(0), pairAt(61)];
const issued = pairAt(60);

function pairs(parts: Partial<StoredPairs> = {}): StoredPairs {
  return { current, next: undefined, bundle: current.roots, ...parts };
}

const staged = pairs({ next: other, bundle: current.roots + other.roots });

function plan(days: number, known: Partial<RotationCase>): ReturnType<typeof planRotation> {
  return planRotation({
    stored: pairs(),
    dnsNames,
    now: start + days * DAY_MS,
    held: undefined,
    isTrusted: () => false,
    issue: () => issued,
    lifetimeMs: 90 * DAY_MS,
    ...known,
  });
}

describe('what the Secret should say', () => {
  test('of none is a new pair', () => {
    expect(plan(0, { stored: undefined })).toEqual({
      why: 'created',
      pairs: { current: issued, next: undefined, bundle: issued.roots },
    });
  });

  test('of one that was deleted is what serves', () => {
    expect(plan(1, { stored: undefined, held: current })).toEqual({ why: 'restored', pairs: pairs() });
  });

  test('of a young pair is what it says', () => {
    expect(plan(0, {})).toBeUndefined();
    expect(plan(59, {})).toBeUndefined();
  });

  test('after two thirds of a life is the next pair too, and both authorities', () => {
    expect(plan(61, {})).toEqual({
      why: 'staged',
      pairs: { current, next: issued, bundle: current.roots + issued.roots },
    });
  });

  test('of a pair that is to come is the same, until everybody trusts it', () => {
    expect(plan(62, { stored: staged })).toBeUndefined();
    const asked: string[] = [];
    const isTrusted = (bundle: string): boolean => asked.push(bundle) > 0;
    expect(plan(62, { stored: staged, isTrusted })).toEqual({
      why: 'promoted',
      pairs: { current: other, next: undefined, bundle: current.roots + other.roots },
    });
    expect(asked).toEqual([staged.bundle]);
  });

  test('near its end is the next pair, whoever trusts it', () => {
    expect(plan(80, { stored: staged })).toBeUndefined();
    expect(plan(82, { stored: staged })).toMatchObject({ why: 'promoted', pairs: { current: other } });
  });

  test('after a rotation forgets the authority from before the last', () => {
    const stored = pairs({ bundle: other.roots + current.roots });
    const step = plan(61, { stored });
    expect(certificatesIn(step?.pairs.bundle ?? '')).toEqual([current.roots, issued.roots]);
  });

  test('of a next pair that is damaged is another one', () => {
    const stored = { ...staged, next: { ...other, key: 'gone' } };
    expect(plan(62, { stored, isTrusted: () => true })).toMatchObject({ why: 'staged', pairs: { next: issued } });
  });

  test.each([
    ['no certificate', { ...current, certificate: '' }],
    ['a key that is another’s', { ...current, key: other.key }],
    ['no key', { ...current, key: 'nonsense' }],
    ['no authority', { ...current, roots: '' }],
    ['another’s authority', { ...current, roots: other.roots }],
    ['another name', pairAt(0, ['other.istio-system.svc'])],
  ])('of a pair with %s is a good one', (_, damaged) => {
    const stored = pairs({ current: damaged });
    expect(plan(1, { stored })).toMatchObject({ why: 'renewed', pairs: { current: issued } });
    expect(plan(1, { stored, held: current })).toMatchObject({ why: 'restored', pairs: { current } });
    expect(plan(1, { stored: { ...stored, next: other, bundle: staged.bundle } })).toMatchObject({
      why: 'promoted',
      pairs: { current: other },
    });
    // Whoever trusts the authority from before must not be told to forget it.
    expect(certificatesIn(plan(1, { stored })?.pairs.bundle ?? '')).toEqual([issued.roots, current.roots]);
  });

  test('of an expired pair is a new one, though it is what serves', () => {
    expect(plan(91, { held: current })).toMatchObject({ why: 'renewed', pairs: { current: issued } });
  });
});

test('a pair says in what it fails, and never a word of its key', () => {
  const now = start;
  const say = (pair: ServingPair, at = now): unknown => inspectPair(pair, { dnsNames, now: at });
  expect(say(current)).toEqual({ ok: true, value: { notBefore: start - 120_000, notAfter: start + 90 * DAY_MS } });
  expect(say({ ...current, certificate: 'x' })).toEqual({ ok: false, error: 'the certificate cannot be read' });
  expect(say({ ...current, key: other.key })).toEqual({ ok: false, error: 'the key is not that of the certificate' });
  expect(say({ ...current, roots: '' })).toEqual({ ok: false, error: 'no authority of it signed the certificate' });
  expect(say(current, start + 90 * DAY_MS)).toEqual({
    ok: false,
    error: 'the certificate ended at 2026-04-01T00:00:00.000Z',
  });
});
