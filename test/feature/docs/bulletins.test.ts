// Each bulletin in the list has the tests that the list names, and these have its number.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkout, readDocument } from './documents.ts';

const PATH = 'docs/security-bulletins.md';

type Row = { readonly number: string; readonly files: readonly string[] };

/** Cells are between bars; those in code may have a bar that is escaped. */
const rows: readonly Row[] = readDocument(PATH)
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => {
    const cells = line.split(/(?<!\\)\|/).slice(1, -1);
    return { number: spansIn(cells[0])[0] ?? '', files: spansIn(cells.at(-1)).filter((span) => span.includes('/')) };
  });

function spansIn(cell = ''): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, span = '']) => span);
}

/** What touches identities, tokens and access, of the design's list of attacks to replay. */
const due = [
  ...['2019-003', '2020-001', '2020-004', '2020-009', '2020-011', '2021-001', '2021-004', '2021-005', '2021-006'],
  ...['2021-007', '2021-008', '2022-001', '2022-003', '2022-008', 'CVE-2026-31837', 'CVE-2026-31838'],
  ...['CVE-2026-26308', '2026-003', 'CVE-2023-48223', 'CVE-2026-44699'],
];

test('every attack that is due is in the list', () => {
  const numbers = rows.map(({ number }) => number);
  expect(due.filter((number) => !numbers.includes(number))).toEqual([]);
});

describe.each(rows)('$number', ({ number, files }) => {
  test('is in the tests that are named', () => {
    expect(files.length).toBeGreaterThan(0);
    expect(files.filter((file) => !existsSync(join(checkout, file)))).toEqual([]);
    // A table's rows may be beside the test that runs them.
    const having = files.filter((file) => readFileSync(join(checkout, file), 'utf8').includes(number));
    expect(having).toEqual(files.filter((file) => file !== 'test/envoy/access-table.test.ts'));
  });
});
