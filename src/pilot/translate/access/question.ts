import type { CidrRange, MetadataMatcher, StringMatcher, ValueMatcher } from '../../../gen/types.ts';
import { canonicalSubnet } from '../listener/subnet.ts';
import { regexMatcher, uint32 } from '../protobuf.ts';
import { complementRegex, elementRegex, elementsOf } from './header.ts';
import { hostRegex } from './host.ts';
import { all, any, type MatchNode, not } from './node.ts';
import {
  AMBIGUOUS,
  envoyTemplate,
  PARAMETER_AT_END,
  SEGMENT_IN_DOUBT,
  widePathRegex,
  wideTemplateRegex,
} from './path.ts';
import { escapeRegex, mapText, type Pattern } from './pattern.ts';
import { type AccessAction, type AccessQuestion, type AccessTest, isOfPeer, isOfToken } from './plan.ts';
import { refuses, type Stance, stanceOf } from './stance.ts';

const SPIFFE = 'spiffe://';
const TOKEN_FILTER = 'envoy.filters.http.jwt_authn';
const PAYLOAD = 'payload';

/** What Envoy asks of a request to find out whether a test of a policy holds. */
export function buildTest(test: AccessTest, action: AccessAction): MatchNode {
  const matched = buildQuestion(test, stanceOf(action, test.isNegated));
  if (!test.isNegated) return matched;
  const presence = refuses(action) ? undefined : presenceOf(test);
  return presence === undefined ? not(matched) : all([presence, not(matched)]);
}

/**
 * Whoever has proven nothing is not "anybody but X", so what lets in asks for proof. To be nobody is what a negated `*` means.
 */
function presenceOf(test: AccessTest): MatchNode | undefined {
  if (!isOfPeer(test) && !isOfToken(test)) return undefined;
  if (
    test.about !== 'service-account' &&
    test.values.some((value) => typeof value === 'object' && value.kind === 'present')
  )
    return undefined;
  switch (test.about) {
    case 'principal':
      return peerNode(presentText);
    case 'namespace':
    case 'service-account':
      return peerNode(identityRegex('[^/]+', '[^/]+'));
    case 'claim':
      return claimPresent(test.claim);
    default:
      return requestPrincipal({ kind: 'present' });
  }
}

const presentText: StringMatcher = { safeRegex: regexMatcher('(?s).+') };

function buildQuestion(question: AccessQuestion, stance: Stance): MatchNode {
  switch (question.about) {
    case 'principal':
      return any(question.values.map((value) => peerNode(principalMatcher(value))));
    case 'namespace':
      return any(question.values.map((value) => peerNode(identityRegex(segmentRegex(value), '[^/]+'))));
    case 'service-account':
      return any(
        question.values.map(({ namespace, name }) =>
          peerNode(identityRegex(escapeRegex(namespace), escapeRegex(name))),
        ),
      );
    case 'source-ip':
    case 'remote-ip':
    case 'destination-ip':
      return any(question.values.map((value) => ({ kind: question.about, range: rangeOf(value) })));
    case 'destination-port':
      return any(question.values.map((port) => ({ kind: 'destination-port', port })));
    case 'sni':
      return any(question.values.map((value) => ({ kind: 'sni', matcher: textMatcher(value, stance) })));
    default:
      return buildHttpQuestion(question, stance);
  }
}

type HttpQuestion = Extract<
  AccessQuestion,
  { about: 'request-principal' | 'claim' | 'header' | 'inline-header' | 'host' | 'method' | 'path' | 'metadata' }
>;

function buildHttpQuestion(question: HttpQuestion, stance: Stance): MatchNode {
  switch (question.about) {
    case 'request-principal':
      return any(question.values.map(requestPrincipal));
    case 'claim':
      return any(question.values.map((value) => claim(question.claim, value)));
    case 'header':
      return any(question.values.map((value) => header(question.header, value, stance)));
    case 'inline-header':
      return any(question.values.map((value) => inlineHeader(question.header, value)));
    case 'host':
      return any(question.values.map((value) => host(value, stance)));
    case 'method':
      return any(question.values.map((value) => headerNode(':method', textMatcher(value, stance))));
    case 'path':
      return path(question.values, stance);
    case 'metadata':
      return any(question.values.map((value) => metadata(question, value)));
  }
}

function peerNode(matcher: StringMatcher): MatchNode {
  return { kind: 'peer', matcher };
}

function principalMatcher(value: Pattern): StringMatcher {
  switch (value.kind) {
    case 'present':
      return presentText;
    case 'suffix':
      return { safeRegex: regexMatcher(`${SPIFFE}.*${escapeRegex(value.text)}`) };
    default:
      return matcherOf(mapText(value, (text) => SPIFFE + text));
  }
}

/** Of whatever trust domain: that the peer's is one of the mesh is what mutual TLS asks. */
function identityRegex(namespace: string, account: string): StringMatcher {
  return { safeRegex: regexMatcher(`${SPIFFE}[^/]+/ns/${namespace}/sa/${account}`) };
}

function segmentRegex(value: Pattern): string {
  switch (value.kind) {
    case 'present':
      return '[^/]+';
    case 'exact':
      return escapeRegex(value.text);
    case 'prefix':
      return `${escapeRegex(value.text)}[^/]*`;
    case 'suffix':
      return `[^/]*${escapeRegex(value.text)}`;
  }
}

function rangeOf(value: string): CidrRange {
  const [addressPrefix = '', length = ''] = canonicalSubnet(value).split('/');
  return { addressPrefix, prefixLen: uint32(Number(length)) };
}

function matcherOf(value: Pattern): StringMatcher {
  switch (value.kind) {
    case 'present':
      return presentText;
    case 'exact':
      return { exact: value.text };
    case 'prefix':
      return value.text === '' ? { safeRegex: regexMatcher('(?s).*') } : { prefix: value.text };
    case 'suffix':
      return value.text === '' ? { safeRegex: regexMatcher('(?s).*') } : { suffix: value.text };
  }
}

function textMatcher(value: Pattern, stance: Stance): StringMatcher {
  const matcher = matcherOf(value);
  return stance === 'wide' && value.kind !== 'present' ? { ...matcher, ignoreCase: true } : matcher;
}

function headerNode(name: string, matcher: StringMatcher): MatchNode {
  return { kind: 'header', matcher: { name, stringMatch: matcher } };
}

function header(name: string, value: Pattern, stance: Stance): MatchNode {
  if (value.kind === 'present') return { kind: 'header', matcher: { name, presentMatch: true } };
  if (stance === 'strict') {
    const others = complementRegex(value);
    const matched = headerNode(name, matcherOf(value));
    return others === undefined ? matched : all([matched, not(headerNode(name, regex(others)))]);
  }
  const elements = elementsOf(value);
  const listed = all(elements.map((element) => headerNode(name, regex(elementRegex(element)))));
  const isList = elements.length !== 1 || elements[0]?.text !== value.text;
  return isList ? any([headerNode(name, matcherOf(value)), ...(elements.length === 0 ? [] : [listed])]) : listed;
}

function inlineHeader(name: string, value: Pattern): MatchNode {
  if (value.kind === 'present') return { kind: 'header', matcher: { name, presentMatch: true } };
  return headerNode(name, regex(elementRegex(value)));
}

function regex(expression: string): StringMatcher {
  return { safeRegex: regexMatcher(expression) };
}

function host(value: Pattern, stance: Stance): MatchNode {
  if (value.kind === 'present') return { kind: 'header', matcher: { name: ':authority', presentMatch: true } };
  return headerNode(':authority', regex(hostRegex(value, stance)));
}

type PathValue = Extract<AccessQuestion, { about: 'path' }>['values'][number];

function path(values: readonly PathValue[], stance: Stance): MatchNode {
  if (stance === 'strict') return any(values.map(strictPath));
  const isForAll = values.some(({ kind }) => kind === 'present');
  return any([...values.map(widePath), ...(isForAll ? [] : [pathNode(regex(AMBIGUOUS))])]);
}

function pathNode(matcher: StringMatcher): MatchNode {
  return { kind: 'path', matcher };
}

function widePath(value: PathValue): MatchNode {
  if (value.kind === 'template') return pathNode(regex(wideTemplateRegex(value)));
  if (value.kind === 'present') return pathNode(presentText);
  const expression = widePathRegex(value);
  return pathNode(expression === undefined ? textMatcher(value, 'wide') : regex(expression));
}

function strictPath(value: PathValue): MatchNode {
  const noWayUp = not(pathNode(regex(AMBIGUOUS)));
  switch (value.kind) {
    case 'template': {
      const template: MatchNode = { kind: 'template', template: envoyTemplate(value) };
      const hasSegment = value.text.includes('{*}');
      return all([template, noWayUp, ...(hasSegment ? [not(pathNode(regex(SEGMENT_IN_DOUBT)))] : [])]);
    }
    case 'prefix':
      return all([pathNode(matcherOf(value)), noWayUp]);
    case 'suffix':
      return all([pathNode(matcherOf(value)), noWayUp, not(pathNode(regex(PARAMETER_AT_END)))]);
    default:
      return pathNode(matcherOf(value));
  }
}

/** `issuer/subject`: since both may have slashes, whatever the pattern splits into. */
function requestPrincipal(value: Pattern): MatchNode {
  const issuer = (matcher: StringMatcher): MatchNode => claimText(['iss'], matcher);
  const subject = (matcher: StringMatcher): MatchNode => claimText(['sub'], matcher);
  const both = (iss: Pattern, sub: Pattern): MatchNode => all([issuer(matcherOf(iss)), subject(matcherOf(sub))]);
  if (value.kind === 'present') return both(value, value);
  const { kind, text } = value;
  const splits = [...text.matchAll(/\//g)].map(({ index }) => [text.slice(0, index), text.slice(index + 1)] as const);
  const present: Pattern = { kind: 'present' };
  switch (kind) {
    case 'exact':
      return any(splits.map(([iss, sub]) => both({ kind, text: iss }, { kind, text: sub })));
    case 'prefix':
      return any([
        both(value, present),
        ...splits.map(([iss, sub]) => both({ kind: 'exact', text: iss }, sub === '' ? present : { kind, text: sub })),
      ]);
    case 'suffix':
      return any([
        both(present, value),
        ...splits.map(([iss, sub]) => both(iss === '' ? present : { kind, text: iss }, { kind: 'exact', text: sub })),
      ]);
  }
}

function claimMatcher(claimPath: readonly string[], value: ValueMatcher): MatchNode {
  const path = [PAYLOAD, ...claimPath].map((key) => ({ key }));
  const matcher: MetadataMatcher = { filter: TOKEN_FILTER, path, value };
  return { kind: 'metadata', matcher };
}

function claimText(claimPath: readonly string[], stringMatch: StringMatcher): MatchNode {
  return claimMatcher(claimPath, { stringMatch });
}

function claimPresent(claimPath: readonly string[]): MatchNode {
  return all([claimMatcher(claimPath, { presentMatch: true }), not(claimMatcher(claimPath, { nullMatch: {} }))]);
}

/** A claim is a text, a list of texts, a truth or a number; the policy writes all of them as text. */
function claim(claimPath: readonly string[], value: Pattern): MatchNode {
  if (value.kind === 'present') return claimPresent(claimPath);
  const stringMatch = matcherOf(value);
  const ways: ValueMatcher[] = [{ stringMatch }, { listMatch: { oneOf: { stringMatch } } }];
  if (value.kind === 'exact' && /^(?:true|false)$/.test(value.text)) ways.push({ boolMatch: value.text === 'true' });
  const number = Number(value.text);
  if (value.kind === 'exact' && String(number) === value.text && Number.isFinite(number))
    ways.push({ doubleMatch: { exact: number } });
  return any(ways.map((way) => claimMatcher(claimPath, way)));
}

type MetadataQuestion = Extract<AccessQuestion, { about: 'metadata' }>;

function metadata({ filter, key, isList }: MetadataQuestion, value: Pattern): MatchNode {
  const stringMatch = matcherOf(value);
  const matched: ValueMatcher = isList ? { listMatch: { oneOf: { stringMatch } } } : { stringMatch };
  return { kind: 'metadata', matcher: { filter, path: [{ key }], value: matched } };
}
