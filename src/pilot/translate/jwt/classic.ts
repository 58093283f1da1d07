import type { HeaderMatcher, JwtRequirement, RequirementRule, RouteMatch } from '../../../gen/types.ts';
import type { ClassicTokens, Origin, Trigger } from './plan.ts';
import { allOf, anyOne, type Provided, tokenOf } from './requirement.ts';
import { asWholePath, excludedPaths, includedPaths, WITH_PARAMETERS } from './trigger-path.ts';

export type ProvidedOrigin = Provided & { readonly rule: Origin };

export type ClassicInputs = {
  readonly tokens: ClassicTokens;
  /** One of which is needed; none where the connection says enough about the peer. */
  readonly peers: readonly Provided[];
  readonly origins: readonly ProvidedOrigin[];
};

export type ClassicRules = {
  /** The first whose match is true decides; where none is, no token is looked at. */
  readonly rules: readonly RequirementRule[];
  /** Whether the triggers cannot be told apart in such a list, so that every path needs a token of each origin. */
  readonly isCutShort: boolean;
};

type Require = (triggered: readonly ProvidedOrigin[]) => JwtRequirement | undefined;

/** What each path needs: a token of one of the origins that it triggers. */
export function buildClassicRules(inputs: ClassicInputs): ClassicRules {
  const groups = [...Map.groupBy(inputs.origins, ({ rule }) => JSON.stringify(rule.triggers)).values()];
  const always = groups.find((members) => triggersOf(members).length === 0) ?? [];
  const conditional = groups.filter((members) => triggersOf(members).length > 0);
  const require: Require = (triggered) => requirementOf(inputs, [...always, ...triggered]);
  const [only = [], ...others] = conditional;
  const [trigger, ...moreTriggers] = triggersOf(only);
  if (trigger === undefined) return { rules: everywhere(require([])), isCutShort: false };
  if (others.length === 0 && moreTriggers.length === 0) {
    return { rules: byOneTrigger(trigger, require(only), require([])), isCutShort: false };
  }
  const rules = byCombinations(conditional, require);
  if (rules !== undefined) return { rules: [...rules, ...everywhere(require([]))], isCutShort: false };
  const each = groups.map((members) => requirementOf({ ...inputs, peers: [] }, members));
  const strictest = [requirementOf(inputs, []), ...each].filter((requirement) => requirement !== undefined);
  return { rules: everywhere(allOf(strictest)), isCutShort: true };
}

function triggersOf([first]: readonly ProvidedOrigin[]): readonly Trigger[] {
  return first?.rule.triggers ?? [];
}

/** Undefined where nothing is asked. */
function requirementOf(inputs: ClassicInputs, origins: readonly ProvidedOrigin[]): JwtRequirement | undefined {
  const { tokens, peers } = inputs;
  const requirements = [
    ...(peers.length === 0 ? [] : [oneOf(peers, tokens.peerIsOptional)]),
    ...(origins.length === 0 ? [] : [oneOf(origins, tokens.originIsOptional)]),
  ];
  return requirements.length === 0 ? undefined : allOf(requirements);
}

/** Where tokens are optional, who has a bad one is nobody, as who has none. */
function oneOf(provided: readonly Provided[], isOptional: boolean): JwtRequirement {
  return anyOne([...tokenOf(provided), ...(isOptional ? [{ allowMissingOrFailed: {} }] : [])]);
}

function everywhere(requires: JwtRequirement | undefined): readonly RequirementRule[] {
  return requires === undefined ? [] : [{ match: { prefix: '/' }, requires }];
}

/** Excluded paths come before the others, but for those with parameters: servers disagree about what these are. */
function byOneTrigger(
  { included, excluded }: Trigger,
  full: JwtRequirement | undefined,
  rest: JwtRequirement | undefined,
): readonly RequirementRule[] {
  const match: RouteMatch = included.length === 0 ? { prefix: '/' } : { safeRegex: { regex: includedPaths(included) } };
  const triggered = withRequirement(match, full);
  if (excluded.length === 0) return [triggered, ...everywhere(included.length === 0 ? undefined : rest)];
  return [
    withRequirement({ ...match, headers: [pathMatcher(WITH_PARAMETERS)] }, full),
    withRequirement({ safeRegex: { regex: excludedPaths(excluded) } }, rest),
    triggered,
    ...everywhere(included.length === 0 ? undefined : rest),
  ];
}

function withRequirement(match: RouteMatch, requires: JwtRequirement | undefined): RequirementRule {
  return requires === undefined ? { match } : { match, requires };
}

const MOST_COMBINATIONS = 32;

/**
 * Each combination of triggers that a path may meet, largest first. Undefined where there are too many, or where an expression of a
 * user would have to be compared with the header, in which the query is.
 */
function byCombinations(
  conditional: readonly (readonly ProvidedOrigin[])[],
  require: Require,
): readonly RequirementRule[] | undefined {
  const paths = conditional.flatMap(triggersOf).flatMap(({ included, excluded }) => [...included, ...excluded]);
  if (paths.some(({ regex }) => regex !== undefined) || 2 ** conditional.length > MOST_COMBINATIONS) return undefined;
  const rules = subsetsOf(conditional)
    .sort((a, b) => b.length - a.length)
    .flatMap((groups) =>
      productOf(groups.map(triggersOf)).map((triggers) => {
        const match: RouteMatch = { prefix: '/', headers: triggers.flatMap(triggerMatchers) };
        return withRequirement(match, require(groups.flat()));
      }),
    );
  return rules.length > MOST_COMBINATIONS ? undefined : rules;
}

function triggerMatchers({ included, excluded }: Trigger): readonly HeaderMatcher[] {
  const inside = included.length === 0 ? [] : [pathMatcher(asWholePath(includedPaths(included)))];
  if (excluded.length === 0) return inside;
  return [...inside, { ...pathMatcher(asWholePath(excludedPaths(excluded, '[^;]*'))), invertMatch: true }];
}

function pathMatcher(regex: string): HeaderMatcher {
  return { name: ':path', stringMatch: { safeRegex: { regex } } };
}

/** All but the empty one. */
function subsetsOf<T>(items: readonly T[]): (readonly T[])[] {
  const [first, ...others] = items;
  if (first === undefined) return [];
  const without = subsetsOf(others);
  return [[first], ...without.map((subset) => [first, ...subset]), ...without];
}

function productOf<T>(lists: readonly (readonly T[])[]): readonly (readonly T[])[] {
  const [first, ...others] = lists;
  if (first === undefined) return [[]];
  return first.flatMap((item) => productOf(others).map((row) => [item, ...row]));
}
