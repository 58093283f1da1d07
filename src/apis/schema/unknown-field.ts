import type { z } from 'zod';
import { renderPath } from '../issue.ts';
import { structureOf } from './structure.ts';
import { closest, enumerate, nearest } from './words.ts';

type Step = string | number;
export type Members = Readonly<Record<string, z.core.$ZodType>>;
export type Plain = Readonly<Record<string, unknown>>;

/** An object of the author's: where it stands, what may stand in it, and what does. */
export type Surrounding = { readonly path: readonly Step[]; readonly members: Members; readonly value: Plain };

/** More names than this nobody reads. */
const mostListed = 12;
const mostGuesses = 3;

/**
 * What to do about a field that the innermost object does not have: a typing mistake, or a line that is indented too much or
 * too little. `around` are the objects from the outermost to the innermost one.
 */
export function remedyFor(key: string, around: readonly Surrounding[]): string {
  const own = around.at(-1);
  if (own === undefined) return 'remove it';
  const known = Object.keys(own.members);
  const typed = closest(key, known);
  if (typed !== undefined) return `did you mean ${typed}?`;
  const owner = around.slice(0, -1).findLast(({ members }) => Object.hasOwn(members, key));
  if (owner !== undefined) return `it belongs to ${renderPath(owner.path)}: indent it less`;
  const meant = nearest(key, known);
  return belowHint(key, own) ?? (meant === undefined ? listing(known) : `did you mean ${meant}?`);
}

function belowHint(key: string, { members, value }: Surrounding): string | undefined {
  const holders = Object.keys(members).filter((name) => holds(members[name], key));
  // A holder that was begun and left empty is the one whose content slipped out of it.
  const begun = holders.filter((name) => Object.hasOwn(value, name));
  const guesses = begun.length > 0 ? begun : holders;
  if (guesses.length > 0 && guesses.length <= mostGuesses) return `it belongs below ${guesses.join(' or ')}`;
  const [only, ...others] = Object.entries(members);
  if (only === undefined || others.length > 0 || structureOf(only[1]).kind !== 'map') return undefined;
  return `if it is one of the ${only[0]}, indent it below ${only[0]}`;
}

/** Whether the object, or the objects of the list, that a member is have a field of this name. */
function holds(member: z.core.$ZodType | undefined, key: string): boolean {
  if (member === undefined) return false;
  const structure = structureOf(member);
  const inner = structure.kind === 'list' ? structureOf(structure.element) : structure;
  return inner.kind === 'object' && Object.hasOwn(inner.members, key);
}

function listing(known: readonly string[]): string {
  if (known.length === 0 || known.length > mostListed) return 'remove it, or look it up';
  return `remove it, or use one of ${enumerate(known)}`;
}
