import type { LocalityLbSetting } from '../../../apis/networking/networking.ts';
import { compareText, sortedEntries } from '../../../kit/order.ts';
import type { Locality } from '../../../model/service.ts';
import { type ClientPlace, localityMatches, localityOf } from './place.ts';

type Weighed = { readonly locality: Locality; readonly weight: number };

/** Shares are written in percent; in these parts a share splits over localities without much rounding. */
const PARTS = 10_000;

/**
 * The weight of each group of endpoints under the first distribution that begins where the client is. A share is split over
 * the localities it covers by their own weights; localities that no share covers get 0. Undefined when none applies.
 */
export function distribute(
  groups: readonly Weighed[],
  client: ClientPlace,
  setting: LocalityLbSetting,
): readonly number[] | undefined {
  const own = localityOf(client);
  const chosen = setting.distribute?.find(({ from }) => from !== undefined && localityMatches(own, from));
  if (chosen === undefined) return undefined;
  const weights = groups.map(() => 0);
  const covered = new Set<number>();
  for (const [pattern, share] of bySpecificity(chosen.to ?? {})) {
    const members = groups.flatMap(({ locality }, index) =>
      !covered.has(index) && localityMatches(locality, pattern) ? [index] : [],
    );
    const total = members.reduce((sum, index) => sum + (groups[index]?.weight ?? 0), 0);
    for (const index of members) {
      covered.add(index);
      const part = (share * PARTS * (groups[index]?.weight ?? 0)) / total;
      weights[index] = share === 0 ? 0 : Math.max(1, Math.round(part));
    }
  }
  return weights;
}

/** A locality belongs to the share that names it most exactly, in whatever order the shares were written. */
function bySpecificity(shares: Readonly<Record<string, number>>): readonly (readonly [string, number])[] {
  return [...sortedEntries(shares)].sort(([a], [b]) => depth(b) - depth(a) || compareText(a, b));
}

function depth(pattern: string): number {
  return pattern.split('/').filter((part) => part !== '*').length;
}
