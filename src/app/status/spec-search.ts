/** A place in an object: `['spec', 'http', 0]`. */
export type SpecPath = readonly (string | number)[];

type Visit = (path: SpecPath, value: unknown) => boolean;

/** The first place, from the outside in, at which `isWanted` answers true. */
export function findPlace(value: unknown, at: SpecPath, isWanted: Visit): SpecPath | undefined {
  const queue: { readonly path: SpecPath; readonly value: unknown }[] = [{ path: at, value }];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    if (isWanted(next.path, next.value)) return next.path;
    for (const [step, inner] of membersOf(next.value)) queue.push({ path: [...next.path, step], value: inner });
  }
  return undefined;
}

function membersOf(value: unknown): Iterable<readonly [string | number, unknown]> {
  if (Array.isArray(value)) return value.entries();
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

/** What is at a path below an object. */
export function valueAt(object: unknown, path: SpecPath): unknown {
  let value = object;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, step);
  }
  return value;
}

/** `spec.http[0].match` as steps. */
export function stepsOf(path: string): SpecPath {
  return [...path.matchAll(/[^.[\]]+/g)].map(([step]) => (/^\d+$/.test(step) ? Number(step) : step));
}

/** The longest beginning that all paths have. */
export function commonPath(paths: readonly SpecPath[]): SpecPath {
  const [first = [], ...others] = paths;
  const end = first.findIndex((step, index) => others.some((other) => other[index] !== step));
  return end < 0 ? first : first.slice(0, end);
}
