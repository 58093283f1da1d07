import { stringify } from 'yaml';

/** What commands can write beside a table for people. */
export type DataFormat = 'json' | 'yaml';

/** A report for programs, whole and with a newline at its end. */
export function renderData(value: unknown, format: DataFormat): string {
  return format === 'json'
    ? `${JSON.stringify(value, undefined, 2)}\n`
    : stringify(value, { aliasDuplicateObjects: false, lineWidth: 0 });
}
