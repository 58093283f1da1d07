import { RE2JS } from 're2js';
import { matchesPattern, type Pattern } from '../translate/access/pattern.ts';
import type { Stance } from '../translate/access/stance.ts';

/** Expressions of policies, read as Envoy reads them. Plans are few and their expressions are asked again and again. */
const compiled = new Map<string, RE2JS>();
const MOST = 10_000;

/** Whether all of the text is as the expression says. */
export function fits(expression: string, text: string): boolean {
  const known = compiled.get(expression) ?? RE2JS.compile(expression);
  if (compiled.size >= MOST) compiled.clear();
  compiled.set(expression, known);
  return known.matches(text);
}

export function textMatches(pattern: Pattern, text: string, stance: Stance): boolean {
  if (stance === 'strict' || pattern.kind === 'present') return matchesPattern(pattern, text);
  return matchesPattern({ kind: pattern.kind, text: pattern.text.toLowerCase() }, text.toLowerCase());
}
