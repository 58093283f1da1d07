import type { IssueCode } from './codes.ts';
import type { Issue, IssueLevel } from './issue.ts';
import { describe } from './schema/words.ts';

/** What a person is told: what is wrong, what was there, what may be there, what to do. */
export type Finding = {
  readonly problem: string;
  readonly got?: unknown;
  readonly allowed?: string;
  readonly fix?: string;
};

type Step = string | number;

/** `problem (got …, allowed …); fix`. */
export function renderFinding(finding: Finding): string {
  const facts: string[] = [];
  if ('got' in finding) facts.push(`got ${describe(finding.got)}`);
  if (finding.allowed !== undefined) facts.push(`allowed ${finding.allowed}`);
  const known = facts.length > 0 ? `${finding.problem} (${facts.join(', ')})` : finding.problem;
  return finding.fix === undefined ? known : `${known}; ${finding.fix}`;
}

export function issueOf(level: IssueLevel, code: IssueCode, path: readonly Step[], finding: Finding): Issue {
  return { code, level, path, message: renderFinding(finding) };
}

/** How much may be spent on one object by rules that are slow. About a second. */
const mostEffort = 1_000_000;

/** What is shared by all places of an object. */
type Findings = { readonly issues: Issue[]; effort: number };

/**
 * A place in an object under validation. It takes the issues found there; its path is only written out when there is one,
 * so that an object without mistakes costs nothing.
 */
export class Field {
  readonly #findings: Findings;
  readonly #parent: Field | undefined;
  readonly #step: Step | undefined;

  private constructor(findings: Findings, parent: Field | undefined, step: Step | undefined) {
    this.#findings = findings;
    this.#parent = parent;
    this.#step = step;
  }

  /** A part of an object, or the object itself; what is found below it goes to `issues`. */
  static top(issues: Issue[], step?: Step): Field {
    return new Field({ issues, effort: 0 }, undefined, step);
  }

  at(...steps: readonly Step[]): Field {
    let field: Field = this;
    for (const step of steps) field = new Field(this.#findings, field, step);
    return field;
  }

  /** Judges every entry of a list in its own place. */
  each<Item>(items: readonly Item[] | undefined, check: (at: Field, item: Item) => void): void {
    if (items === undefined) return;
    for (const [index, item] of items.entries()) check(this.at(index), item);
  }

  error(code: IssueCode, finding: Finding): void {
    this.#findings.issues.push(issueOf('error', code, this.#path(), finding));
  }

  warn(code: IssueCode, finding: Finding): void {
    this.#findings.issues.push(issueOf('warning', code, this.#path(), finding));
  }

  report(level: IssueLevel, code: IssueCode, finding: Finding): void {
    this.#findings.issues.push(issueOf(level, code, this.#path(), finding));
  }

  /** Whether a rule that is slow may still be applied to this object; `effort` is counted in instructions of an expression. */
  spend(effort: number): boolean {
    this.#findings.effort += effort;
    return this.#findings.effort <= mostEffort;
  }

  #path(): Step[] {
    const path = this.#parent === undefined ? [] : this.#parent.#path();
    if (this.#step !== undefined) path.push(this.#step);
    return path;
  }
}
