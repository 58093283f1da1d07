import { expect, test } from 'vitest';
import { renderTable } from './table.ts';

test('a table aligns texts to the left and numbers to the right', () => {
  expect(
    renderTable(
      ['NAME', 'N'],
      [
        ['a', 5],
        ['long-name', 12],
      ],
    ),
  ).toBe(['NAME        N', 'a            5', 'long-name   12', ''].join('\n'));
});
