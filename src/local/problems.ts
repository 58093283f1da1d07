import { relative } from 'node:path';
import { compareText } from '../kit/order.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { renderRef } from '../model/object.ts';
import { renderDiagnostic } from '../model/render-diagnostic.ts';
import type { Complaints, Refusal } from './admin-pages.ts';

/** Says of an object that turned bad that it stays as it was. */
const KEPT = 'XEB1011';
const MOST = 20;

/** What a person has to know of what the control plane complains of, a line each: errors first, and none of what only informs. */
export function renderProblems({ diagnostics, refusals, authority }: Complaints, cwd: string): readonly string[] {
  const kept = new Set(diagnostics.filter(({ code }) => code === KEPT).flatMap(subjectsOf));
  const lines = [
    ...diagnostics.filter(({ level }) => level === 'error').toSorted(byPlace),
    ...diagnostics.filter(({ level }) => level === 'warning').toSorted(byPlace),
  ].map((diagnostic) => `${renderDiagnostic(shorten(diagnostic, cwd))}${afterwards(diagnostic, kept)}`);
  const signing = authority === undefined ? [] : [`the mesh’s authority: ${authority}`];
  const all = [...signing, ...refusals.map(renderRefusal), ...lines];
  return all.length <= MOST ? all : [...all.slice(0, MOST), `… and ${all.length - MOST} more`];
}

function renderRefusal({ resource, error, proxy, objects }: Refusal): string {
  const origins = objects.length === 0 ? '' : ` (from ${objects.join(', ')})`;
  return `${resource}${origins}: refused by ${proxy}: ${error}; what it had before stays in force`;
}

function afterwards(diagnostic: Diagnostic, kept: ReadonlySet<string>): string {
  if (
    diagnostic.level !== 'error' ||
    !subjectsOf(diagnostic)
      .slice(0, 1)
      .some((subject) => kept.has(subject))
  )
    return '';
  return diagnostic.object === undefined
    ? '; what was last read from here stays in force'
    : '; its last good version stays in force';
}

/** The object, then the file: a file that cannot be read complains for all that it held. */
function subjectsOf({ object, at }: Diagnostic): readonly string[] {
  return [...(object === undefined ? [] : [renderRef(object)]), ...(at === undefined ? [] : [at.file])];
}

/** Paths as a person would type them from here. */
function shorten(diagnostic: Diagnostic, cwd: string): Diagnostic {
  if (diagnostic.at === undefined) return diagnostic;
  const file = relative(cwd, diagnostic.at.file);
  return file.startsWith('..') ? diagnostic : { ...diagnostic, at: { ...diagnostic.at, file } };
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  return compareText(a.at?.file ?? '', b.at?.file ?? '') || (a.at?.line ?? 0) - (b.at?.line ?? 0);
}
