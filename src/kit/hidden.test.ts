import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { Hidden } from './hidden.ts';

test('a hidden text is given to whoever asks for it, and to nobody else', () => {
  const hidden = new Hidden('PLANTED');
  expect(hidden.reveal()).toBe('PLANTED');
  const record = { key: hidden, list: [hidden] };
  const seen = [String(hidden), `${hidden}`, JSON.stringify(record), inspect(record, { depth: 9, showHidden: true })];
  for (const text of seen) {
    expect(text).not.toContain('PLANTED');
    expect(text).toContain('[redacted]');
  }
});
