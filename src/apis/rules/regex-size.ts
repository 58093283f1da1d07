/**
 * About how many instructions an RE2 expression is: what stands in `{n,m}` counts m times, and within each other they multiply.
 * Known before the expression is compiled, since compiling a large one takes a second.
 */
export function regexSize(regex: string): number {
  /** Of each open group, what it holds so far. */
  const sums = [0];
  let atom = 0;
  for (let index = 0; index < regex.length; index += 1) {
    const character = regex[index];
    if (character === '(') {
      sums.push(0);
      continue;
    }
    const repeats = character === '{' ? repeatsAt(regex, index) : undefined;
    if (repeats !== undefined) {
      // The atom itself has been counted once.
      add(sums, atom * (repeats.count - 1));
      atom *= repeats.count;
      index += repeats.length - 1;
      continue;
    }
    atom = character === ')' && sums.length > 1 ? (sums.pop() ?? 0) + 2 : 1;
    if (character === '\\') index += 1;
    else if (character === '[') index = classEnd(regex, index);
    add(sums, atom);
  }
  return sums.reduce((total, sum) => total + sum, 0);
}

function add(sums: number[], size: number): void {
  sums[sums.length - 1] = (sums.at(-1) ?? 0) + size;
}

type Repeats = { readonly count: number; readonly length: number };

function repeatsAt(regex: string, index: number): Repeats | undefined {
  const match = /^\{(\d{1,4})(?:,(\d{0,4}))?\}/.exec(regex.slice(index, index + 12));
  if (match === null) return undefined;
  return { count: Math.max(Number(match[1]), Number(match[2] ?? 0), 1), length: match[0].length };
}

function classEnd(regex: string, start: number): number {
  let index = regex[start + 1] === '^' ? start + 2 : start + 1;
  // A bracket that comes first is a member.
  if (regex[index] === ']') index += 1;
  for (; index < regex.length && regex[index] !== ']'; index += 1) if (regex[index] === '\\') index += 1;
  return index;
}
