import { expect, it } from 'vitest';
import { codes } from '../../apis/codes.ts';
import { galleyCodes } from '../codes.ts';
import { conditionOfCode } from './condition-codes.ts';
import { fitMessage } from './conditions.ts';

it('leaves a short message as it is, on one line', () => {
  expect(fitMessage('a: ', 'b\n  c', ' (d)')).toBe('a: b c (d)');
});

it('cuts a long message in its middle part', () => {
  const message = fitMessage('before: ', 'x'.repeat(1_000), ' (after)');
  expect(message).toHaveLength(256);
  expect(message).toMatch(/^before: x+… \(after\)$/);
});

it('cuts what has no middle at its end', () => {
  const message = fitMessage('y'.repeat(1_000));
  expect(message).toHaveLength(256);
  expect(message.endsWith('…')).toBe(true);
});

it('decides conditions by codes of analysis, of which each is known to somebody', () => {
  const ofPilot = /^(XEB2\d{3}|IST0104)$/;
  const known = new Set([...Object.keys(codes), ...Object.keys(galleyCodes)]);
  for (const code of Object.keys(conditionOfCode))
    expect([code, known.has(code) || ofPilot.test(code)]).toEqual([code, true]);
});
