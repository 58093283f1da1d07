import type { Field } from '../finding.ts';
import { quote } from '../schema/words.ts';

type CheckValue = (at: Field, value: string) => void;

/** The values of a list that joins by or. Istio takes an empty list as none, which is seldom what was meant. */
export function checkValues(field: Field, values: readonly string[] | undefined, check?: CheckValue): void {
  if (values === undefined) return;
  if (values.length === 0) warnEmptyList(field);
  field.each(values, (at, value) => {
    if (value === '') at.error('XEB0323', { problem: 'is empty', fix: 'write a value, or remove it' });
    else check?.(at, value);
  });
}

export function warnEmptyList(field: Field): void {
  field.warn('XEB0121', { problem: 'is empty, so it restricts nothing', fix: 'add an entry, or remove it' });
}

/** `*`, `prefix*`, `*suffix` or a whole value. */
export function checkPattern(at: Field, value: string): void {
  const inner = value.startsWith('*') ? value.slice(1) : value.slice(0, -1);
  if (!inner.includes('*')) return;
  const allowed = 'one * at the beginning or at the end';
  at.warn('XEB0326', { problem: 'has a * that is compared as it stands', got: value, allowed });
}

/** The identity of a peer, as a policy writes it: without the scheme that certificates have. */
export function checkPrincipal(at: Field, value: string): void {
  checkPattern(at, value);
  if (!value.startsWith('spiffe://')) return;
  const fix = `write ${quote(value.slice('spiffe://'.length))}`;
  at.warn('XEB0326', { problem: 'has a scheme, which principals do not have', got: value, fix });
}

/** A port as text. Istio takes 0, which no connection has. */
export function checkPortText(at: Field, value: string): void {
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  const allowed = '1 to 65535';
  if (number === 0) at.warn('XEB0105', { problem: 'is no port of any connection', got: value, allowed });
  else if (!(number <= 65_535)) at.error('XEB0105', { problem: 'is not a port', got: value, allowed });
}

/** The names of methods are compared as they stand. */
export function checkMethod(at: Field, value: string): void {
  checkPattern(at, value);
  const upper = value.toUpperCase();
  if (value === upper) return;
  at.warn('XEB0326', {
    problem: 'is not in upper case, so it never matches',
    got: value,
    fix: `write ${quote(upper)}`,
  });
}

const mostServiceAccounts = 16;
const mostCharacters = 320;

/** `name`, or `namespace/name`; compared for equality. */
export function checkServiceAccounts(field: Field, values: readonly string[] | undefined): void {
  const count = values?.length ?? 0;
  if (count > mostServiceAccounts) {
    field.error('XEB0328', { problem: `has ${count} entries`, allowed: `at most ${mostServiceAccounts}` });
  }
  checkValues(field, values, (at, value) => {
    if (value.length > mostCharacters) {
      at.error('XEB0328', { problem: 'is too long', got: value, allowed: `at most ${mostCharacters} characters` });
    } else if (!/^[^/*]+(?:\/[^/*]+)?$/.test(value)) {
      at.error('XEB0328', { problem: 'is not a service account', got: value, allowed: 'name or namespace/name' });
    }
  });
}
