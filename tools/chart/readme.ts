// charts/xebec/README.md: written by people, but for its table of values, which comes from values.yaml.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from '../paths.mjs';
import { type ChartValue, readValues } from './values.ts';

const chart = join(checkout, 'charts', 'xebec');
export const readmeFile = join(chart, 'README.md');
export const valuesFile = join(chart, 'values.yaml');

const head = '| Key | Type | Default | Description |\n|-----|------|---------|-------------|\n';

/** What the README should say: itself, with the table as the values have it. */
export function buildReadme(): string {
  const readme = readFileSync(readmeFile, 'utf8');
  const start = readme.indexOf('| Key |');
  const end = readme.indexOf('\n\n', start);
  if (start < 0 || end < 0) throw new Error(`${readmeFile} has no table of values, with a paragraph below it`);
  const rows = readValues(readFileSync(valuesFile, 'utf8')).map(rowOf);
  return `${readme.slice(0, start)}${head}${rows.join('\n')}${readme.slice(end)}`;
}

function rowOf({ key, type, initial, description = '' }: ChartValue): string {
  return `| ${key} | ${type} | \`${initial.replaceAll('|', '\\|')}\` | ${description.replaceAll('|', '\\|')} |`;
}
