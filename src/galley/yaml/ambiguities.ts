import { EVENT_ID, type Event, SCALAR_STYLE, type ScalarEvent } from 'js-yaml';
import { forEachScalar, type Path } from './places.ts';
import { readAsKubectl, readAsYaml12, type Scalar } from './scalars.ts';

/** A plain scalar that YAML 1.1 (kubectl) and YAML 1.2 read differently. */
export type Ambiguity = { readonly path: Path; readonly offset: number; readonly message: string };

const LONGEST = 40;
const FIRST = /[yYnNoO0-9+\-]/;

/** Finds unquoted `on`, `no`, `0777`, `1_000` and their like. */
export function findAmbiguities(events: readonly Event[], text: string): readonly Ambiguity[] {
  const suspects = new Set<ScalarEvent>();
  for (const event of events) if (event.type === EVENT_ID.SCALAR && isAmbiguous(event, text)) suspects.add(event);
  if (suspects.size === 0) return [];
  const found: Ambiguity[] = [];
  forEachScalar(events, text, (scalar, path, isKey) => {
    if (!suspects.has(scalar)) return;
    const written = textOf(scalar, text);
    found.push({ path, offset: scalar.valueStart, message: describe(written, readAsKubectl(written), isKey) });
  });
  return found;
}

function isAmbiguous(scalar: ScalarEvent, text: string): boolean {
  if (scalar.style !== SCALAR_STYLE.PLAIN || scalar.tagStart >= 0 || scalar.valueEnd - scalar.valueStart > LONGEST)
    return false;
  if (scalar.valueStart < 0 || !FIRST.test(text.charAt(scalar.valueStart))) return false;
  const written = textOf(scalar, text);
  return !Object.is(readAsKubectl(written), readAsYaml12(written));
}

function textOf(scalar: ScalarEvent, text: string): string {
  return text.slice(scalar.valueStart, scalar.valueEnd);
}

function describe(written: string, value: Scalar, isKey: boolean): string {
  const what = isKey ? 'the key' : 'unquoted';
  return `${what} ${written} is read as ${String(value)}, as kubectl reads it, while YAML 1.2 reads it otherwise: write ${String(value)}, or "${written}" if you mean the text`;
}
