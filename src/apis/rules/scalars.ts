import { millisOf } from '../duration.ts';
import type { Field } from '../finding.ts';

export function isPort(number: number): boolean {
  return Number.isInteger(number) && number >= 1 && number <= 65_535;
}

export function checkPort(field: Field, number: number | undefined): void {
  if (number !== undefined && isPort(number)) return;
  field.error('XEB0105', { problem: 'is not a port', got: number, allowed: '1 to 65535' });
}

/** A port that may be left out: protobuf does not tell 0 from absent. */
export function checkOptionalPort(field: Field, number: number | undefined): void {
  if (number !== undefined && number !== 0) checkPort(field, number);
}

/** At least 1ms and a whole number of milliseconds. */
export function checkDuration(field: Field, text: string | undefined): void {
  if (text === undefined) return;
  const millis = millisOf(text);
  if (millis >= 1 && Number.isInteger(millis)) return;
  field.error('XEB0109', { problem: 'is not usable', got: text, allowed: '1ms or more, in whole milliseconds' });
}

/** As `checkDuration`, and `0s` means off. */
export function checkDurationOrOff(field: Field, text: string | undefined): void {
  if (text !== undefined && millisOf(text) !== 0) checkDuration(field, text);
}

/** A whole number of percents. */
export function checkPercent(field: Field, value: number | undefined): void {
  if (value === undefined || (value >= 0 && value <= 100)) return;
  field.error('XEB0110', { problem: 'is not a percentage', got: value, allowed: '0 to 100' });
}

type Fraction = { readonly value?: number | undefined };

/** `{ value: 12.5 }`: Envoy counts in millionths, so the smallest share is 0.0001. */
export function checkFraction(field: Field, percentage: Fraction | undefined): void {
  const value = percentage?.value ?? 0;
  if (value === 0 || (value >= 0.0001 && value <= 100)) return;
  field.at('value').error('XEB0110', { problem: 'is not a percentage', got: value, allowed: '0, or 0.0001 to 100' });
}

export function checkCount(field: Field, value: number | undefined): void {
  if (value === undefined || value >= 0) return;
  field.error('XEB0116', { problem: 'is negative', got: value, allowed: '0 or more' });
}

/** Every named member of a record that is a count. */
export function checkCounts<Key extends string>(
  field: Field,
  record: { readonly [K in Key]?: number | undefined },
  keys: readonly Key[],
): void {
  for (const key of keys) checkCount(field.at(key), record[key]);
}

export function warnDeprecated(field: Field, instead: string): void {
  field.warn('IST0002', { problem: 'is deprecated', fix: `use ${instead}` });
}

/** Reports every entry whose key was seen before; entries without a key are left alone. */
export function checkUnique<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string | number | undefined,
  duplicate: (index: number, key: string | number) => void,
): void {
  const seen = new Set<string | number>();
  for (const [index, item] of items.entries()) {
    const key = keyOf(item);
    if (key === undefined) continue;
    if (seen.has(key)) duplicate(index, key);
    seen.add(key);
  }
}
