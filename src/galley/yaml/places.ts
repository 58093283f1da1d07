import { EVENT_ID, type Event, getScalarValue, parseEvents, SCALAR_STYLE, type ScalarEvent } from 'js-yaml';

export type Path = readonly (string | number)[];

/** Deeper than this nobody nests what he writes into a block. */
const MAX_DEPTH = 100;

/**
 * The offset of the deepest part of `path` that the text holds: the key of a mapping entry, the start of a list item. The
 * path may go on in a text block that is YAML itself, as in a ConfigMap.
 */
export function offsetOf(path: Path, events: readonly Event[], text: string): number {
  let at = 1;
  let best = startOf(events[at]) ?? 0;
  for (const [index, step] of path.entries()) {
    const child = childOf(at, step, events, text);
    if (child === undefined) return offsetInBlock(path.slice(index), events[at], text) ?? best;
    best = startOf(events[child.mark]) ?? startOf(events[child.node]) ?? best;
    at = child.node;
  }
  return best;
}

/** The lines of a block are those of its text, moved in by its indentation. */
function offsetInBlock(path: Path, event: Event | undefined, text: string): number | undefined {
  if (event?.type !== EVENT_ID.SCALAR || event.style !== SCALAR_STYLE.LITERAL_BLOCK) return undefined;
  const inner = getScalarValue(text, event);
  const before = inner.slice(0, innerOffsetOf(path, inner));
  const lines = before.split('\n');
  let start = event.valueStart;
  for (let line = 1; line < lines.length; line += 1) start = text.indexOf('\n', start) + 1;
  return start + event.indent + (lines.at(-1)?.length ?? 0);
}

function innerOffsetOf(path: Path, text: string): number {
  try {
    return offsetOf(path, parseEvents(text, { maxDepth: MAX_DEPTH }), text);
  } catch {
    return 0;
  }
}

/** Calls `visit` for each scalar, keys included (with the path of their entry). */
export function forEachScalar(
  events: readonly Event[],
  text: string,
  visit: (scalar: ScalarEvent, path: Path, isKey: boolean) => void,
): void {
  const walk = (at: number, path: Path): void => {
    const event = events[at];
    if (event?.type === EVENT_ID.SCALAR) visit(event, path, false);
    for (const child of childrenOf(at, events)) {
      const key = events[child.mark];
      const isEntry = child.mark !== child.node;
      const step = isEntry ? keyText(key, text) : child.index;
      if (isEntry && key?.type === EVENT_ID.SCALAR) visit(key, [...path, step], true);
      walk(child.node, [...path, step]);
    }
  };
  walk(1, []);
}

/** `mark` is where a person looks: the key of an entry, the item itself in a list. */
type Child = { readonly mark: number; readonly node: number; readonly index: number };

function childOf(at: number, step: string | number, events: readonly Event[], text: string): Child | undefined {
  for (const child of childrenOf(at, events)) {
    if (child.mark === child.node ? child.index === step : keyText(events[child.mark], text) === String(step))
      return child;
  }
  return undefined;
}

function* childrenOf(at: number, events: readonly Event[]): Generator<Child> {
  const type = events[at]?.type;
  if (type !== EVENT_ID.SEQUENCE && type !== EVENT_ID.MAPPING) return;
  let next = at + 1;
  for (let index = 0; next < events.length && events[next]?.type !== EVENT_ID.POP; index += 1) {
    const mark = next;
    const node = type === EVENT_ID.MAPPING ? after(mark, events) : mark;
    yield { mark, node, index };
    next = after(node, events);
  }
}

/** The index behind the node that starts at `at`. */
function after(at: number, events: readonly Event[]): number {
  let depth = 0;
  let next = at;
  do {
    const type = events[next]?.type;
    if (type === EVENT_ID.SEQUENCE || type === EVENT_ID.MAPPING) depth += 1;
    else if (type === EVENT_ID.POP) depth -= 1;
    next += 1;
  } while (depth > 0 && next < events.length);
  return next;
}

function keyText(event: Event | undefined, text: string): string {
  return event?.type === EVENT_ID.SCALAR ? getScalarValue(text, event) : '';
}

function startOf(event: Event | undefined): number | undefined {
  if (event === undefined) return undefined;
  if (event.type === EVENT_ID.SCALAR) return event.valueStart < 0 ? undefined : event.valueStart;
  if (event.type === EVENT_ID.SEQUENCE || event.type === EVENT_ID.MAPPING) return event.start;
  return undefined;
}
