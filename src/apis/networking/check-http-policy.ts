import { millisOf } from '../duration.ts';
import type { Field } from '../finding.ts';
import { checkListedHeader, checkStringMatch } from '../rules/matching.ts';
import { checkCount, checkDuration, checkFraction, checkPercent } from '../rules/scalars.ts';
import { enumerate, nearest } from '../schema/words.ts';
import { grpcStatuses, httpStatuses, retryConditions } from './http-words.ts';
import type { CorsPolicy, HttpFault, HttpRetry, StringMatch } from './networking.ts';

export function checkRetries(field: Field, retries: HttpRetry | undefined): void {
  if (retries === undefined) return;
  const { attempts = 0, perTryTimeout, retryOn, retryRemoteLocalities, backoff } = retries;
  checkCount(field.at('attempts'), attempts);
  if (attempts === 0 && (perTryTimeout !== undefined || retryOn || retryRemoteLocalities !== undefined)) {
    field.error('XEB0208', {
      problem: 'has a policy, but attempts is 0, which turns retries off',
      fix: 'set attempts',
    });
  }
  checkDuration(field.at('perTryTimeout'), perTryTimeout);
  checkDuration(field.at('backoff'), backoff);
  if (!retryOn) return;
  for (const condition of retryOn.split(',')) {
    if (isRetryCondition(condition)) continue;
    const allowed = `HTTP status numbers and ${enumerate([...retryConditions], 20)}`;
    const finding = { problem: 'has an unknown condition', got: condition, allowed };
    const meant = nearest(condition.trim(), [...retryConditions]);
    if (isRetryCondition(condition.trim())) {
      field.at('retryOn').error('XEB0208', { ...finding, allowed: 'commas without blanks', fix: 'remove the blanks' });
    } else {
      field
        .at('retryOn')
        .error('XEB0208', meant === undefined ? finding : { ...finding, fix: `did you mean ${meant}?` });
    }
  }
}

function isRetryCondition(text: string): boolean {
  return retryConditions.has(text) || httpStatuses.has(text);
}

export function checkCors(field: Field, cors: CorsPolicy | undefined): void {
  if (cors === undefined) return;
  field.at('allowOrigin').each(cors.allowOrigin, checkClassicOrigin);
  field.at('allowOrigins').each(cors.allowOrigins, checkOrigin);
  field.at('allowMethods').each(cors.allowMethods, checkMethod);
  field.at('allowHeaders').each(cors.allowHeaders, checkListedHeader);
  field.at('exposeHeaders').each(cors.exposeHeaders, checkListedHeader);
  if (cors.maxAge !== undefined) checkMaxAge(field.at('maxAge'), cors.maxAge);
}

function checkMaxAge(field: Field, maxAge: string): void {
  const millis = millisOf(maxAge);
  if (millis >= 1000 && millis % 1000 === 0) return;
  field.error('XEB0109', { problem: 'is not usable', got: maxAge, allowed: 'whole seconds, 1s or more' });
}

function checkOrigin(field: Field, origin: StringMatch): void {
  if (origin.exact || origin.prefix || origin.regex) checkStringMatch(field, origin);
  else field.error('XEB0211', { problem: 'matches no origin', fix: 'give exact, prefix or regex' });
}

/** `*` or an origin. Today's Istio no longer looks at them, so a bad one, which never matches, is a warning. */
function checkClassicOrigin(field: Field, origin: string): void {
  if (origin === '*' || /^(?:https?:\/\/)?[A-Za-z0-9](?:[-.A-Za-z0-9]*[A-Za-z0-9])?(?::\d+)?$/.test(origin)) return;
  field.warn('XEB0211', {
    problem: 'is not an origin, so it never matches',
    got: origin,
    allowed: '* or [http[s]://]host[:port]',
  });
}

const corsMethods: readonly string[] = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  '*',
];

function checkMethod(field: Field, method: string): void {
  if (corsMethods.includes(method)) return;
  field.error('XEB0211', {
    problem: 'is not a method',
    got: method,
    allowed: `${corsMethods.join(', ')}, in capitals`,
  });
}

export function checkFault(field: Field, fault: HttpFault | undefined): void {
  if (fault === undefined) return;
  const { delay, abort } = fault;
  if (delay === undefined && abort === undefined) {
    field.error('XEB0207', { problem: 'does nothing', allowed: 'delay, abort or both', fix: 'add one' });
  }
  if (delay !== undefined) checkDelay(field.at('delay'), delay);
  if (abort !== undefined) checkAbort(field.at('abort'), abort);
}

function checkDelay(field: Field, delay: NonNullable<HttpFault['delay']>): void {
  checkShare(field, delay);
  checkDuration(field.at('fixedDelay'), delay.fixedDelay);
  if (delay.exponentialDelay !== undefined) {
    field.at('exponentialDelay').error('XEB0207', { problem: 'is not supported', fix: 'use fixedDelay' });
  } else if (delay.fixedDelay === undefined) {
    field.warn('XEB0207', { problem: 'has no fixedDelay, so nothing is delayed', fix: 'set fixedDelay' });
  }
}

function checkAbort(field: Field, abort: NonNullable<HttpFault['abort']>): void {
  checkShare(field, abort);
  const { httpStatus, grpcStatus, http2Error } = abort;
  if (http2Error !== undefined) {
    field.at('http2Error').error('XEB0207', { problem: 'is not supported', fix: 'use httpStatus' });
  } else if (grpcStatus !== undefined && !grpcStatuses.has(grpcStatus)) {
    const allowed = enumerate([...grpcStatuses], 20);
    field.at('grpcStatus').error('XEB0207', { problem: 'is not a gRPC status', got: grpcStatus, allowed });
  } else if (httpStatus !== undefined && (httpStatus < 200 || httpStatus > 600)) {
    field
      .at('httpStatus')
      .error('XEB0207', { problem: 'is not a status to answer with', got: httpStatus, allowed: '200 to 599' });
  } else if (httpStatus === 600) {
    const problem = 'is no status that Envoy can send, so nothing is aborted';
    field.at('httpStatus').warn('XEB0207', { problem, got: httpStatus, allowed: '200 to 599' });
  } else if (httpStatus === undefined && grpcStatus === undefined) {
    field.warn('XEB0207', { problem: 'has no status, so nothing is aborted', fix: 'set httpStatus or grpcStatus' });
  }
}

type Share = Pick<NonNullable<HttpFault['delay']>, 'percent' | 'percentage'>;

/** `percent` counts only where there is no `percentage`. */
function checkShare(field: Field, { percent, percentage }: Share): void {
  if (percentage !== undefined) checkFraction(field.at('percentage'), percentage);
  else checkPercent(field.at('percent'), percent);
}
