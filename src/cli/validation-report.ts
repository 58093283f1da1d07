import { styleText } from 'node:util';
import { type IssueLevel, renderPath } from '../apis/issue.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { renderRef } from '../model/object.ts';

export type ValidationReport = {
  /** Objects in force: those that are good. */
  readonly objects: number;
  readonly diagnostics: readonly Diagnostic[];
};

/** For programs. Fields are only ever added within one apiVersion. */
export function reportJson({ objects, diagnostics }: ValidationReport): string {
  const report = {
    apiVersion: 'xebec.dev/v1',
    kind: 'ValidationReport',
    summary: {
      objects,
      errors: countOf(diagnostics, 'error'),
      warnings: countOf(diagnostics, 'warning'),
      infos: countOf(diagnostics, 'info'),
    },
    diagnostics: diagnostics.map(({ code, level, path, message, object, at }) => ({
      code,
      level,
      ...(object === undefined ? {} : { object }),
      ...(path.length === 0 ? {} : { path: renderPath(path) }),
      message,
      ...(at === undefined ? {} : { position: at }),
    })),
  };
  return `${JSON.stringify(report, undefined, 2)}\n`;
}

/** For people: one line each, grouped by file, and a line that sums up. */
export function renderReport(report: ValidationReport, { color }: { readonly color: boolean }): string {
  const files = Map.groupBy(report.diagnostics, (diagnostic) => diagnostic.at?.file ?? '');
  const groups = [...files.values()].map((group) => group.map((diagnostic) => lineOf(diagnostic, color)).join(''));
  return [...groups, summaryOf(report)].join('\n');
}

function lineOf({ at, level, code, object, path, message }: Diagnostic, color: boolean): string {
  const place = at === undefined ? '' : `${at.file}:${at.line}:${at.column}: `;
  const owner = object === undefined ? '' : ` ${renderRef(object)}`;
  const field = path.length === 0 ? '' : ` ${renderPath(path)}`;
  return `${place}${colored(level, color)} ${code}${owner}${field}: ${message}\n`;
}

const colors = { error: 'red', warning: 'yellow', info: 'cyan' } as const;

function colored(level: IssueLevel, color: boolean): string {
  return color ? styleText(colors[level], level, { validateStream: false }) : level;
}

function summaryOf({ objects, diagnostics }: ValidationReport): string {
  const errors = countOf(diagnostics, 'error');
  const warnings = countOf(diagnostics, 'warning');
  return `${plural(objects, 'good object')}, ${plural(errors, 'error')}, ${plural(warnings, 'warning')}\n`;
}

function countOf(diagnostics: readonly Diagnostic[], level: IssueLevel): number {
  return diagnostics.filter((diagnostic) => diagnostic.level === level).length;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
