import { renderPath } from '../apis/issue.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { renderRef } from '../model/object.ts';

/**
 * What galley says of objects, and of what pilot says the rest: both see a route to a subset that is not there, and galley
 * knows the line.
 */
export function tellOnce(galley: readonly Diagnostic[], pilot: readonly Diagnostic[]): readonly Diagnostic[] {
  const told = Map.groupBy(galley, keyOf);
  const isTold = (diagnostic: Diagnostic): boolean =>
    diagnostic.object !== undefined && (told.get(keyOf(diagnostic)) ?? []).some((other) => overlap(diagnostic, other));
  return [...galley, ...pilot.filter((diagnostic) => !isTold(diagnostic))];
}

function keyOf({ code, object }: Diagnostic): string {
  return `${code} ${object === undefined ? '' : renderRef(object)}`;
}

/** One points into what the other points at. */
function overlap({ path: a }: Diagnostic, { path: b }: Diagnostic): boolean {
  const length = Math.min(a.length, b.length);
  return renderPath(a.slice(0, length)) === renderPath(b.slice(0, length));
}
