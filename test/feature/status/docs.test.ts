import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type ConditionType, conditionTypes, reasonsOf } from '../../../src/galley/status/conditions.ts';
import { checkout } from '../../../tools/paths.mjs';

const text = readFileSync(join(checkout, 'docs', 'status.md'), 'utf8');

/** The reasons in the table below a heading. */
function published(heading: string): readonly string[] {
  const section = text.split(/^## /m).find((each) => each.startsWith(`${heading}\n`)) ?? '';
  return [...section.matchAll(/^\| *(?:True|False|Unknown) *\| `(\w+)`/gm)].map(([, reason = '']) => reason);
}

test.each(conditionTypes)('docs/status.md has every reason of %s, and no other', (type: ConditionType) => {
  expect([...published(type)].sort()).toEqual([...reasonsOf[type]].sort());
});
