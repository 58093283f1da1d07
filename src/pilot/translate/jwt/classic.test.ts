import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, test } from 'vitest';
import type { PathMatch } from '../../../apis/security/security.ts';
import type { HeaderMatcher, JwtRequirement, RequirementRule, RouteMatch } from '../../../gen/types.ts';
import { buildClassicRules, type ProvidedOrigin } from './classic.ts';
import type { ClassicTokens, Origin, Trigger } from './plan.ts';

const policy: ClassicTokens = {
  kind: 'classic',
  object: { kind: 'Policy', namespace: 'default', name: 'a' },
  peers: [],
  peersByMutualTls: false,
  peerIsOptional: false,
  origins: [],
  originIsOptional: false,
  principalBinding: 'USE_ORIGIN',
};

function origin(name: string, ...triggers: readonly Trigger[]): ProvidedOrigin {
  const rule: Origin = {
    object: policy.object,
    path: 'spec.origins[0].jwt',
    issuer: name,
    audiences: [],
    keys: { kind: 'unknown', reason: 'none' },
    keysField: 'jwks',
    fromHeaders: [],
    fromParams: [],
    fromCookies: [],
    forward: true,
    payloadHeader: '',
    claimHeaders: [],
    spaceDelimitedClaims: [],
    triggers,
  };
  return { name, rule };
}

function build(...origins: readonly ProvidedOrigin[]) {
  return buildClassicRules({ tokens: policy, peers: [], origins });
}

/** As Envoy's filter decides: the first rule that matches; paths are compared without query and fragment. */
function askedAt(rules: readonly RequirementRule[], path: string): readonly string[] {
  const rule = rules.find(({ match }) => match !== undefined && matches(match, path));
  return rule?.requires === undefined ? [] : namesIn(rule.requires);
}

function matches({ prefix, safeRegex, headers = [] }: RouteMatch, path: string): boolean {
  const [bare = ''] = path.split(/[?#]/);
  if (prefix !== undefined && !bare.startsWith(prefix)) return false;
  if (safeRegex !== undefined && !fits(safeRegex.regex, bare)) return false;
  return headers.every((header) => fits(regexOf(header), path) !== (header.invertMatch ?? false));
}

function regexOf({ stringMatch }: HeaderMatcher): string | undefined {
  return stringMatch?.safeRegex?.regex;
}

function fits(regex: string | undefined, text: string): boolean {
  return RE2JS.compile(regex ?? '').matches(text);
}

function namesIn({ providerName, requiresAny, requiresAll }: JwtRequirement): readonly string[] {
  if (providerName !== undefined) return [providerName];
  return [...(requiresAny?.requirements ?? []), ...(requiresAll?.requirements ?? [])].flatMap(namesIn);
}

/** What the classic filter asked for, once it looked at paths without query (ISTIO-SECURITY-2020-001). */
function triggered({ rule: { triggers } }: ProvidedOrigin, path: string): boolean {
  const [bare = ''] = path.split(/[?#]/);
  const isAt = (paths: readonly PathMatch[]): boolean => paths.some((one) => pathFits(one, bare));
  if (triggers.length === 0) return true;
  return triggers.some(({ included, excluded }) => !isAt(excluded) && (included.length === 0 || isAt(included)));
}

function pathFits({ exact, prefix, suffix, regex }: PathMatch, path: string): boolean {
  if (exact !== undefined) return path === exact;
  if (prefix !== undefined) return path.startsWith(prefix);
  if (suffix !== undefined) return path.endsWith(suffix);
  return regex !== undefined && fits(regex, path);
}

const segment = fc.constantFrom('a', 'b', 'a.b', '*', '(c', 'c+');
const path = fc.array(segment, { maxLength: 3 }).map((segments) => `/${segments.join('/')}`);
const query = fc.constantFrom('', '?', '?a', '?/a', '?/a/b', '?x=/b', '#', '#/a');
const simple = fc.oneof(
  path.map((exact) => ({ exact })),
  path.map((prefix) => ({ prefix })),
  segment.map((suffix) => ({ suffix })),
);
const anyMatch = fc.oneof(simple, fc.constantFrom({ regex: '/a/.*' }, { regex: '/[ab]' }, { regex: '.*b' }));

function trigger(match: fc.Arbitrary<PathMatch>): fc.Arbitrary<Trigger> {
  const paths = fc.array(match, { maxLength: 2 });
  return fc
    .record({ included: paths, excluded: paths })
    .filter(({ included, excluded }) => included.length + excluded.length > 0);
}

describe('triggers of classic origins', () => {
  test('one origin with one trigger, of every form, is asked for exactly where it is triggered', () => {
    fc.assert(
      fc.property(trigger(anyMatch), path, query, (one, at, rest) => {
        const only = origin('a', one);
        const { rules, isCutShort } = build(only);
        expect(isCutShort).toBe(false);
        expect(askedAt(rules, at + rest)).toEqual(triggered(only, at + rest) ? ['a'] : []);
      }),
      { numRuns: 3_000 },
    );
  });

  test('several origins with several triggers are asked for exactly where they are triggered', () => {
    const triggers = fc.array(trigger(simple), { maxLength: 2 });
    fc.assert(
      fc.property(fc.array(triggers, { minLength: 1, maxLength: 3 }), path, query, (lists, at, rest) => {
        const origins = lists.map((list, index) => origin(`o${index}`, ...list));
        const { rules, isCutShort } = build(...origins);
        fc.pre(!isCutShort);
        const expected = origins.filter((one) => triggered(one, at + rest)).map(({ name }) => name);
        expect([...askedAt(rules, at + rest)].sort()).toEqual(expected);
      }),
      { numRuns: 3_000 },
    );
  });

  test('parameters in a path never free it of a token that it needs without them', () => {
    const parameters = fc.constantFrom(';', ';x', ';x=1', ';a.b', ';.open');
    fc.assert(
      fc.property(fc.array(trigger(simple), { minLength: 1, maxLength: 2 }), path, parameters, (list, at, more) => {
        const only = origin('a', ...list);
        const { rules } = build(only);
        if (!triggered(only, at)) return;
        expect(askedAt(rules, `${at}${more}`)).toEqual(['a']);
        expect(askedAt(rules, `${at}${more}?q`)).toEqual(['a']);
      }),
      { numRuns: 3_000 },
    );
  });

  test('what Envoy could not tell apart is read in the strictest way', () => {
    const first = origin('a', { included: [{ regex: '/a.*' }], excluded: [] });
    const second = origin('b', { included: [{ prefix: '/b' }], excluded: [] });
    const { rules, isCutShort } = build(first, second);
    expect(isCutShort).toBe(true);
    expect(rules).toEqual([
      {
        match: { prefix: '/' },
        requires: { requiresAll: { requirements: [{ providerName: 'a' }, { providerName: 'b' }] } },
      },
    ]);
  });

  test('a match of nothing in particular excludes nothing, and includes everything', () => {
    const { rules } = build(origin('a', { included: [], excluded: [{}] }));
    expect(askedAt(rules, '/a')).toEqual(['a']);
    expect(askedAt(build(origin('a', { included: [{}], excluded: [] })).rules, '/a')).toEqual(['a']);
  });
});
