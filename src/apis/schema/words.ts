/** A value as one says it to a person: `text "abc"`, `number 3`, `a list of 2`, `nothing`. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (typeof value === 'string') return `text ${quote(value)}`;
  if (typeof value === 'number' || typeof value === 'bigint') return `number ${value}`;
  if (typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  return Object.keys(value).length === 0 ? 'an empty object' : 'an object';
}

/** A string in quotes, shortened when a person could not read it anyway. Of what looks like a key, nothing. */
export function quote(text: string): string {
  if (text.includes('-----BEGIN')) return '"-----BEGIN…"';
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}…` : text);
}

/** `a, b and 3 more`: a list that stays readable. */
export function enumerate(names: readonly string[], most = 12): string {
  if (names.length <= most) return names.join(', ');
  return `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
}

/** The candidate that a typing mistake most likely meant; nothing when none is close. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  return closest(name, candidates) ?? partOf(name, candidates);
}

/** One name is a part of the other: `LEAST_CONNECTIONS` for `LEAST_CONN`, `INBOUND` for `SIDECAR_INBOUND`. */
function partOf(name: string, candidates: readonly string[]): string | undefined {
  const typed = name.toLowerCase();
  const shorter = candidates.filter((one) => one.length >= leastCommon && typed.startsWith(one.toLowerCase()));
  if (shorter.length > 0) return shorter.reduce((best, one) => (one.length > best.length ? one : best));
  const longer = name.length < leastCommon ? [] : candidates.filter((one) => one.toLowerCase().includes(typed));
  return longer.length === 1 ? longer[0] : undefined;
}

/** Fewer letters in common are no likeness. */
const leastCommon = 4;

/** The candidate with the fewest letters that differ. */
export function closest(name: string, candidates: readonly string[]): string | undefined {
  const typed = name.toLowerCase();
  let best: string | undefined;
  // A third of the name may be wrong: more, and the guess would be noise.
  let least = Math.floor(Math.min(name.length, 30) / 3) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) >= least) continue;
    const distance = editDistance(typed, candidate.toLowerCase());
    if (distance < least) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

/** Levenshtein's distance, where two neighbours that changed places count once. */
function editDistance(a: string, b: string): number {
  let beforeLast: readonly number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const replace = at(last, column - 1) + (same ? 0 : 1);
      const swap = swapped ? at(beforeLast, column - 2) + 1 : Number.POSITIVE_INFINITY;
      current.push(Math.min(at(last, column) + 1, at(current, column - 1) + 1, replace, swap));
    }
    beforeLast = last;
    last = current;
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
