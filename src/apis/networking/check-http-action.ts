import type { Field } from '../finding.ts';
import { checkRegex } from '../rules/matching.ts';
import { checkOptionalPort } from '../rules/scalars.ts';
import type { HttpDirectResponse, HttpRedirect, HttpRewrite, HttpRoute } from './networking.ts';

type Action = 'delegate' | 'redirect' | 'directResponse';

/** What cannot stand beside an action that ends the request. */
const excluded: readonly (readonly [Action, readonly (keyof HttpRoute)[]])[] = [
  ['delegate', ['route', 'redirect', 'directResponse']],
  ['redirect', ['route', 'directResponse', 'fault', 'rewrite']],
  ['directResponse', ['route', 'fault', 'rewrite']],
];

/** A rule leads to exactly one thing. */
export function checkOneAction(field: Field, route: HttpRoute): void {
  const actions = ['route', 'redirect', 'directResponse', 'delegate'] as const;
  if (!actions.some((action) => isGiven(route[action]))) {
    field.error('XEB0203', {
      problem: 'leads nowhere',
      allowed: 'route, redirect, directResponse or delegate',
      fix: 'add one',
    });
  }
  for (const [action, others] of excluded) {
    if (route[action] === undefined) continue;
    for (const other of others) {
      if (isGiven(route[other])) {
        field.at(other).error('XEB0204', { problem: `cannot stand beside ${action}`, fix: 'keep one of them' });
      }
    }
  }
  if (route.redirect !== undefined && route.websocketUpgrade === true) {
    field.at('websocketUpgrade').warn('XEB0118', { problem: 'has no effect beside redirect', fix: 'remove it' });
  }
  if (route.mirror !== undefined && isGiven(route.mirrors)) {
    field.at('mirrors').error('XEB0204', { problem: 'cannot stand beside mirror', fix: 'move mirror into mirrors' });
  }
}

function isGiven(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== '';
}

/** The codes that Envoy can send. */
const sentRedirectCodes: readonly number[] = [301, 302, 303, 307, 308];

export function checkRedirect(field: Field, redirect: HttpRedirect | undefined): void {
  if (redirect === undefined) return;
  const { uri, authority, scheme, port, derivePort, redirectCode } = redirect;
  if (![uri, authority, scheme, port, derivePort].some(isGiven)) {
    const allowed = 'uri, authority, scheme, port or derivePort';
    field.error('XEB0209', { problem: 'changes nothing', allowed, fix: 'set one' });
  }
  if (redirectCode) checkRedirectCode(field.at('redirectCode'), redirectCode);
  if (scheme && scheme !== 'http' && scheme !== 'https') {
    field.at('scheme').error('XEB0209', { problem: 'is not a scheme', got: scheme, allowed: 'http or https' });
  }
  checkOptionalPort(field.at('port'), port);
}

function checkRedirectCode(field: Field, code: number): void {
  if (code < 300 || code > 399) {
    field.error('XEB0209', { problem: 'is not a redirect', got: code, allowed: '300 to 399' });
  } else if (!sentRedirectCodes.includes(code)) {
    const allowed = sentRedirectCodes.join(', ');
    field.warn('XEB0209', { problem: 'cannot be sent by Envoy, which sends 301', got: code, allowed });
  }
}

export function checkRewrite(field: Field, rewrite: HttpRewrite | undefined): void {
  if (rewrite === undefined) return;
  const { uri, authority, uriRegexRewrite: regex } = rewrite;
  if (!uri && !authority && regex === undefined) {
    field.error('XEB0210', {
      problem: 'changes nothing',
      allowed: 'uri, uriRegexRewrite or authority',
      fix: 'set one',
    });
  }
  if (uri && regex !== undefined) {
    field.at('uriRegexRewrite').error('XEB0210', { problem: 'cannot stand beside uri', fix: 'keep one of them' });
  }
  if (regex === undefined) return;
  if (!regex.match || !regex.rewrite) {
    field.at('uriRegexRewrite').error('XEB0210', { problem: 'is incomplete', fix: 'give both match and rewrite' });
  }
  if (regex.match) checkRegex(field.at('uriRegexRewrite', 'match'), regex.match);
}

const warnBodyBytes = 100 * 1024;
const mostBodyBytes = 1024 * 1024;

export function checkDirectResponse(field: Field, response: HttpDirectResponse | undefined): void {
  if (response === undefined) return;
  const { status = 0, body } = response;
  if (status < 200 || status > 599) {
    field
      .at('status')
      .error('XEB0212', { problem: 'is not a status to answer with', got: status, allowed: '200 to 599' });
  }
  if (body !== undefined) checkBodySize(field.at('body'), bodySize(body));
}

type Body = NonNullable<HttpDirectResponse['body']>;

function bodySize({ string = '', bytes }: Body): number {
  return bytes === undefined ? Buffer.byteLength(string) : Buffer.byteLength(bytes, 'base64');
}

function checkBodySize(field: Field, size: number): void {
  const fix = 'serve it from a workload';
  if (size > mostBodyBytes) field.error('XEB0212', { problem: `is ${size} bytes`, allowed: 'at most 1 MiB', fix });
  else if (size > warnBodyBytes) field.warn('XEB0212', { problem: `is ${size} bytes, held by every proxy`, fix });
}
