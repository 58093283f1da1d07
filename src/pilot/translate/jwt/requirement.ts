import type { JwtRequirement } from '../../../gen/types.ts';
import type { TokenRule } from './plan.ts';
import { placesOf } from './provider.ts';

/** A rule and the name of its provider. */
export type Provided = { readonly name: string; readonly rule: TokenRule };

/** At least one of them, and more where there are more: Envoy refuses a list of one. */
export function anyOne(requirements: readonly JwtRequirement[]): JwtRequirement {
  const [first = {}, ...others] = requirements;
  return others.length === 0 ? first : { requiresAny: { requirements } };
}

export function allOf(requirements: readonly JwtRequirement[]): JwtRequirement {
  const [first = {}, ...others] = requirements;
  return others.length === 0 ? first : { requiresAll: { requirements } };
}

export function tokenOf(provided: readonly Provided[]): readonly JwtRequirement[] {
  return provided.map(({ name }) => ({ providerName: name }));
}

/**
 * Every token that is there is one of those that are taken; there need be none. Providers that look at one place for their tokens
 * stand for each other there; what is at other places must be right as well.
 */
export function rightIfThere(provided: readonly Provided[]): JwtRequirement {
  const groups = groupByPlace(provided);
  return allOf(groups.map((group) => anyOne([...tokenOf(group), { allowMissing: {} }])));
}

function groupByPlace(provided: readonly Provided[]): readonly (readonly Provided[])[] {
  let groups: { readonly members: readonly Provided[]; readonly places: ReadonlySet<string> }[] = [];
  for (const one of provided) {
    const places = placesOf(one.rule);
    const near = groups.filter((group) => places.some((place) => group.places.has(place)));
    const joined = {
      members: [...near.flatMap(({ members }) => members), one],
      places: new Set([...near.flatMap((group) => [...group.places]), ...places]),
    };
    const at = near.length === 0 ? groups.length : groups.findIndex((group) => near.includes(group));
    const others = groups.filter((group) => !near.includes(group));
    groups = [...others.slice(0, at), joined, ...others.slice(at)];
  }
  return groups.map(({ members }) => members);
}
