import type { Field } from '../finding.ts';
import { httpMatchCovers, l4MatchCovers, tlsMatchCovers } from './match-covers.ts';
import type { VirtualServiceSpec } from './networking.ts';

type Rule<Match> = { readonly match?: readonly Match[] | undefined };
type Seen<Match> = { readonly match: Match | undefined; readonly place: string };

/** Comparing every match with every earlier one is quadratic; beyond this many nobody reads the warnings either. */
const mostCompared = 1000;
const mostComparisons = 200_000;

/** Warns of rules and matches that are never used, because earlier ones match everything they match. */
export function findUnreachable(field: Field, { http = [], tls = [], tcp = [] }: VirtualServiceSpec): void {
  findInList(field.at('http'), http, { name: 'http', covers: httpMatchCovers });
  findInList(field.at('tls'), tls, { name: 'tls', covers: tlsMatchCovers });
  findInList(field.at('tcp'), tcp, { name: 'tcp', covers: l4MatchCovers });
}

type Comparison<Match> = {
  readonly name: string;
  readonly covers: (earlier: Match, later: Match) => boolean;
};

function findInList<Match>(field: Field, rules: readonly Rule<Match>[], { name, covers }: Comparison<Match>): void {
  const seen: Seen<Match>[] = [];
  let comparisons = 0;
  for (const [index, { match = [] }] of rules.entries()) {
    const place = `${name}[${index}]`;
    comparisons += Math.max(match.length, 1) * seen.length;
    if (comparisons > mostComparisons) return;
    // A rule without a match matches everything.
    const wanted: readonly (Match | undefined)[] = match.length === 0 ? [undefined] : match;
    const covering = wanted.map((one, position) => {
      const cover = seen.find(({ match: earlier }) => isCovered(earlier, one, covers));
      if (cover === undefined && seen.length < mostCompared) {
        seen.push({ match: one, place: one === undefined ? place : `${place}.match[${position}]` });
      }
      return cover;
    });
    reportCovered(field.at(index), covering);
  }
}

function isCovered<Match>(
  earlier: Match | undefined,
  later: Match | undefined,
  covers: (earlier: Match, later: Match) => boolean,
): boolean {
  if (earlier === undefined) return true;
  return later !== undefined && covers(earlier, later);
}

function reportCovered(field: Field, covering: readonly ({ readonly place: string } | undefined)[]): void {
  const fix = 'move it up, narrow the earlier one, or remove it';
  if (covering.every((cover) => cover !== undefined)) {
    const places = [...new Set(covering.map((cover) => `spec.${cover.place}`))].join(' and ');
    field.warn('IST0130', {
      problem: `is never reached: ${places} ${covering.length > 1 ? 'match' : 'matches'} everything it matches`,
      fix,
    });
    return;
  }
  for (const [position, cover] of covering.entries()) {
    if (cover === undefined) continue;
    field
      .at('match', position)
      .warn('IST0131', { problem: `decides nothing: spec.${cover.place} matches everything it matches`, fix });
  }
}
