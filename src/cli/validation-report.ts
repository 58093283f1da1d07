import { styleText } from 'node:util';
import type { IssueLevel } from '../apis/issue.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { describeDiagnostic, renderDiagnostic } from '../model/render-diagnostic.ts';

export type ValidationReport = {
  /** Objects in force: those that are good. */
  readonly objects: number;
  readonly diagnostics: readonly Diagnostic[];
};

/** For programs. Fields are only ever added within one apiVersion. */
export function describeReport({ objects, diagnostics }: ValidationReport): unknown {
  return {
    apiVersion: 'xebec.dev/v1',
    kind: 'ValidationReport',
    summary: {
      objects,
      errors: countOf(diagnostics, 'error'),
      warnings: countOf(diagnostics, 'warning'),
      infos: countOf(diagnostics, 'info'),
    },
    diagnostics: diagnostics.map(describeDiagnostic),
  };
}

/** For people: one line each, grouped by file, and a line that sums up. */
export function renderReport(report: ValidationReport, { color }: { readonly color: boolean }): string {
  const paint = (level: IssueLevel): string => colored(level, color);
  const files = Map.groupBy(report.diagnostics, (diagnostic) => diagnostic.at?.file ?? '');
  const groups = [...files.values()].map((group) =>
    group.map((diagnostic) => `${renderDiagnostic(diagnostic, paint)}\n`).join(''),
  );
  return [...groups, summaryOf(report)].join('\n');
}

const colors = { error: 'red', warning: 'yellow', info: 'cyan' } as const;

function colored(level: IssueLevel, color: boolean): string {
  return color ? styleText(colors[level], level, { validateStream: false }) : level;
}

function summaryOf({ objects, diagnostics }: ValidationReport): string {
  const errors = countOf(diagnostics, 'error');
  const warnings = countOf(diagnostics, 'warning');
  const infos = countOf(diagnostics, 'info');
  const rest = infos === 0 ? '' : `, ${plural(infos, 'info')}`;
  return `${plural(objects, 'good object')}, ${plural(errors, 'error')}, ${plural(warnings, 'warning')}${rest}\n`;
}

function countOf(diagnostics: readonly Diagnostic[], level: IssueLevel): number {
  return diagnostics.filter((diagnostic) => diagnostic.level === level).length;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
