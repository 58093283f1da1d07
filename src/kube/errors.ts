import type { KubeError, KubeErrorReason } from './api.ts';
import { asRecord, numberIn, recordsIn, textIn } from './json.ts';

/** The reasons of a `Status` object that say more than its code. */
const reasonsByName: ReadonlyMap<string, KubeErrorReason> = new Map([
  ['NotFound', 'not-found'],
  ['AlreadyExists', 'already-exists'],
  ['Conflict', 'conflict'],
  ['Forbidden', 'forbidden'],
  ['Unauthorized', 'unauthorized'],
  ['Invalid', 'invalid'],
  ['BadRequest', 'invalid'],
  ['Expired', 'expired'],
  ['Gone', 'expired'],
  ['TooManyRequests', 'too-many-requests'],
]);

const reasonsByStatus: ReadonlyMap<number, KubeErrorReason> = new Map([
  [400, 'invalid'],
  [401, 'unauthorized'],
  [403, 'forbidden'],
  [404, 'not-found'],
  [409, 'conflict'],
  [410, 'expired'],
  [413, 'too-large'],
  [422, 'invalid'],
  [429, 'too-many-requests'],
]);

/** A proxy in between may answer with a page; its beginning is enough. */
const MESSAGE_LIMIT = 1_000;

export type Refusal = {
  readonly status: number;
  /** The body, if it was JSON. */
  readonly body: unknown;
  readonly text: string;
  readonly retryAfter: string | undefined;
};

/** What an answer that is no success means. */
export function refusedError({ status, body, text, retryAfter }: Refusal): KubeError {
  const told = statusError(body, status);
  return {
    ...told,
    message: told.message === '' ? `HTTP ${status}: ${text.slice(0, MESSAGE_LIMIT).trim()}` : told.message,
    retryAfterMs: told.retryAfterMs ?? secondsToMs(retryAfter),
  };
}

/** What a `Status` object says, be it an answer of its own or an event of a watch. */
export function statusError(object: unknown, httpStatus?: number): KubeError {
  const status = asRecord(object);
  const details = asRecord(status['details']);
  const code = httpStatus ?? numberIn(status, 'code');
  const seconds = numberIn(details, 'retryAfterSeconds');
  return {
    reason: reasonOf(textIn(status, 'reason'), details, code),
    status: code,
    message: textIn(status, 'message'),
    retryAfterMs: seconds === undefined ? undefined : seconds * 1_000,
  };
}

function reasonOf(name: string, details: Readonly<Record<string, unknown>>, code: number | undefined): KubeErrorReason {
  // After etcd was restored from a backup, what we have seen lies in the future: only a new list helps.
  if (recordsIn(details, 'causes').some((cause) => cause['reason'] === 'ResourceVersionTooLarge')) return 'expired';
  const byName = reasonsByName.get(name);
  if (byName !== undefined) return byName;
  if (code === undefined) return 'other';
  return reasonsByStatus.get(code) ?? (code >= 500 ? 'server' : 'other');
}

function secondsToMs(header: string | undefined): number | undefined {
  const seconds = Number(header);
  return header !== undefined && Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : undefined;
}

/** A call that got no answer. */
export function unreachableError(message: string): KubeError {
  return { reason: 'unreachable', status: undefined, message, retryAfterMs: undefined };
}

/** The words of an error and of what caused it: undici wraps the reason of a failed connection. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.message === '') return error.errors.map(wordsOf).join('; ');
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
