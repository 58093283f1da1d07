type CallFrame = { readonly functionName: string; readonly url: string; readonly lineNumber: number };
type ProfileNode = { readonly id: number; readonly callFrame: CallFrame; readonly children?: readonly number[] };

/** What of a `.cpuprofile` is read here. */
export type CpuProfile = {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
};

type Spot = { readonly place: string; self: number; total: number };

const LISTED = 25;

/** The functions in which most time was spent, with what they called, as lines of text; idle time is left out. */
export function renderHotSpots(profile: CpuProfile): readonly string[] {
  const spots = findSpots(profile);
  const idle = spots.get('(idle)')?.self ?? 0;
  const busy = profile.timeDeltas.reduce((sum, delta) => sum + delta, 0) - idle;
  const share = (time: number): string => `${((100 * time) / busy).toFixed(1)} %`.padStart(7);
  const list = (by: 'self' | 'total'): readonly string[] =>
    [...spots.values()]
      .filter(({ place }) => place !== '(idle)' && place !== '(root)')
      .sort((a, b) => b[by] - a[by])
      .slice(0, LISTED)
      .map(({ place, self, total }) => `${share(self)} self ${share(total)} with callees  ${place}`);
  return [`busy for ${(busy / 1000).toFixed(0)} ms; by own time:`, ...list('self'), 'with callees:', ...list('total')];
}

function findSpots({ nodes, samples, timeDeltas }: CpuProfile): ReadonlyMap<string, Spot> {
  const selfTimes = new Map<number, number>();
  for (const [index, id] of samples.entries()) selfTimes.set(id, (selfTimes.get(id) ?? 0) + (timeDeltas[index] ?? 0));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const spots = new Map<string, Spot>();
  const visit = (node: ProfileNode, above: ReadonlySet<string>): number => {
    const place = placeOf(node.callFrame);
    const self = selfTimes.get(node.id) ?? 0;
    const within = new Set(above).add(place);
    const children = (node.children ?? []).map((id) => byId.get(id)).filter((child) => child !== undefined);
    const total = children.reduce((sum, child) => sum + visit(child, within), self);
    const spot = spots.get(place) ?? { place, self: 0, total: 0 };
    spot.self += self;
    // A function that calls itself counts once.
    if (!above.has(place)) spot.total += total;
    spots.set(place, spot);
    return total;
  };
  const [root] = nodes;
  if (root !== undefined) visit(root, new Set());
  return spots;
}

function placeOf({ functionName, url, lineNumber }: CallFrame): string {
  if (url === '') return functionName;
  const path = url.replace(/^.*\/(dist|node_modules)\//, '');
  return `${functionName === '' ? '(anonymous)' : functionName} ${path}:${lineNumber + 1}`;
}
