import { styleText } from 'node:util';
import { CHECK_GROUPS, type CheckLine, type CheckState } from '../app/check/check.ts';

/** For programs. Fields are only ever added within one apiVersion. */
export function describeChecks(lines: readonly CheckLine[]): unknown {
  return {
    apiVersion: 'xebec.dev/v1',
    kind: 'CheckReport',
    summary: {
      ok: countOf(lines, 'ok'),
      warnings: countOf(lines, 'warning'),
      failed: countOf(lines, 'failed'),
      skipped: countOf(lines, 'skipped'),
    },
    checks: lines.map(({ group, state, message, remedy }) => ({ group, state, message, ...(remedy && { remedy }) })),
  };
}

const marks: Readonly<Record<CheckState, string>> = { ok: '√', warning: '‼', failed: '×', skipped: '-' };
const colors = { ok: 'green', warning: 'yellow', failed: 'red', skipped: 'gray' } as const;

/** For people: a heading for each group, a line for each finding, and below it what to do. */
export function renderChecks(lines: readonly CheckLine[], { color }: { readonly color: boolean }): string {
  const mark = (state: CheckState): string =>
    color ? styleText(colors[state], marks[state], { validateStream: false }) : marks[state];
  const groups = CHECK_GROUPS.flatMap((group) => {
    const found = lines.filter((line) => line.group === group);
    if (found.length === 0) return [];
    const texts = found.map(
      ({ state, message, remedy }) => `${mark(state)} ${message}${remedy === undefined ? '' : `\n    ${remedy}`}\n`,
    );
    return [`${group}\n${'-'.repeat(group.length)}\n${texts.join('')}`];
  });
  return `${groups.join('\n')}\n${verdictOf(lines)}\n`;
}

function verdictOf(lines: readonly CheckLine[]): string {
  const failures = countOf(lines, 'failed');
  const warnings = countOf(lines, 'warning');
  const skips = countOf(lines, 'skipped');
  const rest = skips === 0 ? '' : `, ${skips} not looked at`;
  if (failures === 0 && warnings === 0) return `all is well${rest}`;
  return `${failures} failed, ${warnings} warning${warnings === 1 ? '' : 's'}${rest}`;
}

function countOf(lines: readonly CheckLine[], state: CheckState): number {
  return lines.filter((line) => line.state === state).length;
}
