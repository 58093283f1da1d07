import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { checkout } from '../paths.mjs';
import { buildReadme, readmeFile, valuesFile } from './readme.ts';
import { readValues } from './values.ts';

const chart = join(checkout, 'charts', 'xebec');
const values = readValues(readFileSync(valuesFile, 'utf8'));

type Schema = { readonly properties?: Readonly<Record<string, Schema>>; readonly description?: string };

function keysOf({ properties = {} }: Schema, prefix = ''): readonly string[] {
  return Object.entries(properties).flatMap(([key, schema]) =>
    schema.properties === undefined || isOpen.has(`${prefix}${key}`)
      ? [`${prefix}${key}`]
      : keysOf(schema, `${prefix}${key}.`),
  );
}

/** Values whose members are not ours to name. */
const isOpen = new Set(['resources']);

test('each value is described', () => {
  expect(values.filter(({ description }) => description === undefined).map(({ key }) => key)).toEqual([]);
});

test('the README has them all: `npm run generate` writes them', () => {
  expect(readFileSync(readmeFile, 'utf8')).toBe(buildReadme());
});

test('the schema knows the values, and no others', () => {
  const schema = JSON.parse(readFileSync(join(chart, 'values.schema.json'), 'utf8')) as Schema;
  const own = keysOf(schema).filter((key) => key !== 'global' && key !== 'xebec-crds');
  expect([...own].sort()).toEqual(values.map(({ key }) => key));
});

test('what a profile sets is a value that is null, or part of meshConfig', () => {
  const open = new Set(values.filter(({ initial }) => initial === 'null').map(({ key }) => key));
  for (const name of ['default', 'demo', 'ha']) {
    const profile = readValues(readFileSync(join(chart, 'files', 'profiles', `${name}.yaml`), 'utf8'));
    const settings = profile.map(({ key }) => (key.startsWith('resources.') ? 'resources' : key));
    expect(settings.filter((key) => !open.has(key) && !key.startsWith('meshConfig.'))).toEqual([]);
  }
});

test('each of Istio’s names that is refused is let through by the schema, to be refused with what to say instead', () => {
  const { values: names } = parse(readFileSync(join(chart, 'files', 'istio-values.yaml'), 'utf8')) as {
    readonly values: readonly { readonly name: string; readonly say: string }[];
  };
  const schema = JSON.parse(readFileSync(join(chart, 'values.schema.json'), 'utf8')) as {
    readonly patternProperties: Readonly<Record<string, unknown>>;
  };
  const [pattern = ''] = Object.keys(schema.patternProperties);
  const known = new Set(values.map(({ key }) => key.split('.')[0]));
  for (const { name, say } of names) {
    const [top = ''] = name.split('.');
    expect(top === 'global' || new RegExp(pattern).test(top), name).toBe(true);
    expect(known.has(top), name).toBe(false);
    const [, target] = /^is (?:always )?(\w+)/.exec(say) ?? [];
    if (target !== undefined && !/^\d|^so$/.test(target)) expect(known, say).toContain(target);
  }
});

test('the chart is of the version that the package is, and says so of its image', () => {
  const { version } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as { readonly version: string };
  const { annotations, dependencies, ...about } = parse(readFileSync(join(chart, 'Chart.yaml'), 'utf8')) as {
    readonly version: string;
    readonly appVersion: string;
    readonly annotations: Readonly<Record<string, string>>;
    readonly dependencies: readonly { readonly version: string }[];
  };
  expect(about).toMatchObject({ version, appVersion: version });
  expect(annotations['artifacthub.io/images']).toContain(`docker.io/xebec/xebec:${version}`);
  expect(dependencies.map((dependency) => dependency.version)).toEqual([version]);
});
