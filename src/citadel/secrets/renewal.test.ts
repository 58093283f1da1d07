import { describe, expect, test } from 'vitest';
import { renewAt } from './renewal.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const rules = { graceRatio: 0.5, minGraceMs: 10 * MINUTE };

function shareOf(lifeMs: number, key: string, own: Partial<typeof rules> = {}): number {
  const notBefore = 1_700_000_000_000;
  return (renewAt({ notBefore, notAfter: notBefore + lifeMs }, { ...rules, ...own }, key) - notBefore) / lifeMs;
}

const keys = Array.from({ length: 1_000 }, (_, index) => `shop/account-${index}`);

describe('when a certificate is renewed', () => {
  test.each([
    { lifeMs: 24 * HOUR, ratio: 0.5, from: 0.4, to: 0.5 },
    { lifeMs: 90 * 24 * HOUR, ratio: 0.2, from: 0.7, to: 0.8 },
    { lifeMs: 24 * HOUR, ratio: 0, from: 0.89, to: 0.9932 },
    // Never in the first tenth of its life, whatever was asked for: it would be renewed for ever.
    { lifeMs: 24 * HOUR, ratio: 1, from: 0.1, to: 0.2 },
    { lifeMs: 5 * MINUTE, ratio: 0.5, from: 0.1, to: 0.2 },
    { lifeMs: 15 * MINUTE, ratio: 0.5, from: 0.23, to: 0.34 },
  ])('$lifeMs ms with ratio $ratio: between $from and $to of its life', ({ lifeMs, ratio, from, to }) => {
    for (const key of keys) {
      const share = shareOf(lifeMs, key, { graceRatio: ratio });
      expect(share).toBeGreaterThanOrEqual(from);
      expect(share).toBeLessThanOrEqual(to);
    }
  });

  test('the same for the same account, and not the same minute for a thousand', () => {
    expect(shareOf(24 * HOUR, 'shop/web')).toBe(shareOf(24 * HOUR, 'shop/web'));
    const minutes = keys.map((key) => Math.floor((shareOf(24 * HOUR, key) * 24 * HOUR) / MINUTE));
    const inOneMinute = new Map<number, number>();
    for (const minute of minutes) inOneMinute.set(minute, (inOneMinute.get(minute) ?? 0) + 1);
    expect(Math.max(...inOneMinute.values())).toBeLessThan(30);
  });
});
