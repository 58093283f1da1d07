import { err, ok, type Result } from '../kit/result.ts';

const unitMillis: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const term = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy;
const mostMillis = 315_576_000_000 * 1000;

/** Milliseconds (with a fraction, when there is one) of `1.5s`, `100ms` or `1h30m`, as protobuf JSON and Go write them. */
export function parseDuration(text: string): Result<number, string> {
  const negative = text.startsWith('-');
  const body = negative || text.startsWith('+') ? text.slice(1) : text;
  if (body === '0') return ok(0);
  const millis = sumTerms(body);
  if (millis === undefined) return err(`${JSON.stringify(text)} is not a duration such as 100ms, 1.5s or 1m30s`);
  if (millis > mostMillis) return err(`${JSON.stringify(text)} is longer than 10,000 years`);
  return ok(negative && millis !== 0 ? -millis : millis);
}

export function isDuration(text: string): boolean {
  return parseDuration(text).ok;
}

function sumTerms(body: string): number | undefined {
  if (body === '' || body.length > 64) return undefined;
  term.lastIndex = 0;
  let millis = 0;
  let end = 0;
  for (let found = term.exec(body); found !== null; found = term.exec(body)) {
    const [, amount = '', unit = ''] = found;
    millis += millisOfTerm(amount, unitMillis[unit] ?? Number.NaN);
    end = term.lastIndex;
  }
  return end === body.length ? millis : undefined;
}

/** Whole and broken part apart: what is whole stays exact, and of the rest nothing is finer than a nanosecond. */
function millisOfTerm(amount: string, unit: number): number {
  const point = amount.indexOf('.');
  const whole = point < 0 ? amount : amount.slice(0, point);
  const fraction = point < 0 ? 0 : Number(`0${amount.slice(point)}`);
  return roundToNanos(Number(whole) * unit) + roundToNanos(fraction * unit);
}

function roundToNanos(millis: number): number {
  return Number.isInteger(millis) ? millis : Math.round(millis * 1e6) / 1e6;
}

/** Milliseconds of a duration that a schema has let through; anything else is a bug of the caller. */
export function millisOf(text: string): number {
  const parsed = parseDuration(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}
