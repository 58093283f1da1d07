import type { ProxyView } from '../../pilot/pilot.ts';
import type { StreamDelivery, TypeDelivery } from '../../xds/delivery.ts';
import { Identities } from './owners.ts';

/** A stream with what it is to have. */
export type Served = { readonly view: ProxyView; readonly delivery: StreamDelivery };

/** Proxies that are to have the same and are equally far with it; what one of them alone lacks is looked at beside. */
export type Cohort = {
  readonly view: ProxyView;
  readonly types: readonly TypeDelivery[];
  /** Nothing can be said about what these have. */
  readonly isBeginning: boolean;
  count: number;
  /** Those with something of their own. */
  readonly odd: StreamDelivery[];
};

const identities = new Identities();

/** Costs the streams, never what is in them. */
export function sortIntoCohorts(streams: Iterable<Served>): readonly Cohort[] {
  const cohorts = new Map<string, Cohort>();
  for (const { view, delivery } of streams) {
    const { types } = delivery;
    const isBeginning = begins(view, types);
    const key = `${identities.of(view.snapshot)} ${identities.of(view.mesh)} ${view.proxy.kind} ${
      isBeginning ? 'begins' : types.map(keyOfType).join(' ')
    }`;
    const known = cohorts.get(key);
    const cohort = known ?? { view, types, isBeginning, count: 0, odd: [] };
    if (known === undefined) cohorts.set(key, cohort);
    cohort.count += 1;
    if (!isBeginning && types.some(isOdd)) cohort.odd.push(delivery);
  }
  return [...cohorts.values()];
}

/** A client that has confirmed nothing of some type yet, or whose stream has not seen its newest view. */
function begins({ snapshot }: ProxyView, types: readonly TypeDelivery[]): boolean {
  return types.some(({ isBeginning, set: { base } }) => isBeginning || (snapshot.get(base.typeUrl) ?? base) !== base);
}

function keyOfType({ set, names, behind }: TypeDelivery): string {
  const asked = names === undefined ? '*' : identities.of(names);
  return [identities.of(set), asked, ...behind.map((diff) => identities.of(diff))].join(':');
}

function isOdd({ unconfirmed, refused }: TypeDelivery): boolean {
  return unconfirmed.length > 0 || refused.size > 0;
}
