import ipaddr from 'ipaddr.js';
import { hostRegex } from '../translate/access/host.ts';
import {
  AMBIGUOUS,
  PARAMETER_AT_END,
  SEGMENT_IN_DOUBT,
  widePathRegex,
  wideTemplateRegex,
} from '../translate/access/path.ts';
import { matchesPattern, type Pattern } from '../translate/access/pattern.ts';
import {
  type AccessAction,
  type AccessQuestion,
  type AccessTest,
  isOfPeer,
  isOfToken,
  type PathTemplate,
} from '../translate/access/plan.ts';
import { refuses, type Stance, stanceOf } from '../translate/access/stance.ts';
import { canonicalSubnet } from '../translate/listener/subnet.ts';
import { claimMatches, principalOfToken, tokenHas } from './claims.ts';
import { hasElement, headerMatches } from './header.ts';
import type { AccessRequest, HttpRequest } from './request.ts';
import { fits, textMatches } from './texts.ts';

/** Whether a test of a policy holds for a request. */
export function testHolds(test: AccessTest, request: AccessRequest, action: AccessAction): boolean {
  const isMatched = answers(test, request, stanceOf(action, test.isNegated));
  if (!test.isNegated) return isMatched;
  return !isMatched && (refuses(action) || mayBeAbsent(test) || isPresent(test, request));
}

/** Whoever has proven nothing is not "anybody but X", except where the policy says so by `*`. */
function mayBeAbsent(test: AccessTest): boolean {
  if (!isOfPeer(test) && !isOfToken(test)) return true;
  if (test.about === 'service-account') return false;
  return test.values.some((value) => typeof value === 'object' && value.kind === 'present');
}

function isPresent(test: AccessTest, { peer, http }: AccessRequest): boolean {
  switch (test.about) {
    case 'principal':
      return peer !== undefined && peer !== '';
    case 'namespace':
    case 'service-account':
      return identityOf(peer) !== undefined;
    case 'claim':
      return tokenHas(http?.claims, test.claim);
    default:
      return principalOfToken(http?.claims) !== undefined;
  }
}

function answers(question: AccessQuestion, request: AccessRequest, stance: Stance): boolean {
  switch (question.about) {
    case 'principal':
      return question.values.some((value) => principalMatches(value, request.peer));
    case 'namespace':
    case 'service-account':
      return identityMatches(question, request.peer);
    case 'source-ip':
      return question.values.some((block) => isIn(request.sourceIp, block));
    case 'remote-ip':
      return question.values.some((block) => isIn(request.remoteIp, block));
    case 'destination-ip':
      return question.values.some((block) => isIn(request.destinationIp, block));
    case 'destination-port':
      return question.values.includes(request.destinationPort);
    case 'sni':
      return question.values.some((value) => textMatches(value, request.sni ?? '', stance));
    default:
      return request.http !== undefined && answersHttp(question, request.http, stance);
  }
}

type HttpQuestion = Extract<
  AccessQuestion,
  { about: 'request-principal' | 'claim' | 'header' | 'inline-header' | 'host' | 'method' | 'path' | 'metadata' }
>;

function answersHttp(question: HttpQuestion, request: HttpRequest, stance: Stance): boolean {
  switch (question.about) {
    case 'request-principal': {
      const principal = principalOfToken(request.claims);
      return principal !== undefined && question.values.some((value) => matchesPattern(value, principal));
    }
    case 'claim':
      return question.values.some((value) => claimMatches(value, request.claims, question.claim));
    case 'header':
      return headerMatches(question.values, request.headers.get(question.header.toLowerCase()) ?? [], stance);
    case 'inline-header': {
      const values = request.headers.get(question.header.toLowerCase()) ?? [];
      return values.some((value) => question.values.some((pattern) => hasElement(pattern, value)));
    }
    case 'host':
      return question.values.some((value) => hostMatches(value, request.host, stance));
    case 'method':
      return question.values.some((value) => textMatches(value, request.method, stance));
    case 'path':
      return pathMatches(question.values, request.path.replace(/[?#].*$/s, ''), stance);
    case 'metadata':
      return metadataMatches(question, request);
  }
}

function principalMatches(value: Pattern, peer: string | undefined): boolean {
  if (peer === undefined || peer === '') return false;
  if (value.kind === 'present') return true;
  return peer.startsWith('spiffe://') && matchesPattern(value, peer.slice('spiffe://'.length));
}

type Account = { readonly namespace: string; readonly name: string };

function identityOf(peer: string | undefined): Account | undefined {
  const [, namespace, name] = /^spiffe:\/\/[^/]+\/ns\/([^/]+)\/sa\/([^/]+)$/.exec(peer ?? '') ?? [];
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}

type IdentityQuestion = Extract<AccessQuestion, { about: 'namespace' } | { about: 'service-account' }>;

function identityMatches(question: IdentityQuestion, peer: string | undefined): boolean {
  const identity = identityOf(peer);
  if (identity === undefined) return false;
  if (question.about === 'namespace') return question.values.some((value) => matchesPattern(value, identity.namespace));
  return question.values.some(({ namespace, name }) => namespace === identity.namespace && name === identity.name);
}

function isIn(address: string, block: string): boolean {
  const [network = '', length = ''] = canonicalSubnet(block).split('/');
  const parsed = ipaddr.parse(address);
  const range = ipaddr.parse(network);
  return parsed.kind() === range.kind() && parsed.match(range, Number(length));
}

function hostMatches(value: Pattern, host: string, stance: Stance): boolean {
  return value.kind === 'present' || fits(hostRegex(value, stance), host);
}

function pathMatches(values: readonly (Pattern | PathTemplate)[], path: string, stance: Stance): boolean {
  if (stance === 'strict') return values.some((value) => strictPathMatches(value, path));
  return fits(AMBIGUOUS, path) || values.some((value) => widePathMatches(value, path));
}

function widePathMatches(value: Pattern | PathTemplate, path: string): boolean {
  if (value.kind === 'template') return fits(wideTemplateRegex(value), path);
  const expression = value.kind === 'present' ? undefined : widePathRegex(value);
  return expression === undefined ? textMatches(value, path, 'wide') : fits(expression, path);
}

function strictPathMatches(value: Pattern | PathTemplate, path: string): boolean {
  const leadsUp = fits(AMBIGUOUS, path);
  switch (value.kind) {
    case 'template':
      return !leadsUp && templateMatches(value, path);
    case 'prefix':
      return !leadsUp && matchesPattern(value, path);
    case 'suffix':
      return !leadsUp && !fits(PARAMETER_AT_END, path) && matchesPattern(value, path);
    default:
      return matchesPattern(value, path);
  }
}

/** What Envoy lets a variable of a template be. */
const SEGMENT = String.raw`[-A-Za-z0-9._~%!$&'()+,;:@=*]`;

function templateMatches({ text }: PathTemplate, path: string): boolean {
  if (text.includes('{*}') && fits(SEGMENT_IN_DOUBT, path)) return false;
  const expression = text
    .split(/(\{\*\*?\})/)
    .map((part) => {
      if (part === '{*}') return `${SEGMENT}+`;
      return part === '{**}' ? `(?:${SEGMENT}|/)*` : part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
    })
    .join('');
  return fits(expression, path);
}

type MetadataQuestion = Extract<AccessQuestion, { about: 'metadata' }>;

function metadataMatches({ filter, key, isList, values }: MetadataQuestion, { metadata }: HttpRequest): boolean {
  const found = metadata.get(filter)?.[key];
  const texts = isList && Array.isArray(found) ? found : [isList ? undefined : found];
  return texts.some((text) => typeof text === 'string' && values.some((value) => matchesPattern(value, text)));
}
