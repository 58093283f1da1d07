import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseDocument } from '../galley/yaml/parse-document.ts';
import { splitDocuments } from '../galley/yaml/split-documents.ts';
import { type Collection, collectionFor, collections } from './collections.ts';
import { type Issue, renderPath } from './issue.ts';
import { required, structureOf } from './schema/structure.ts';

// The objects that the tests of test/cluster apply to a real API server, judged here without one.

const cluster = join(import.meta.dirname, '../../test/cluster');

type Sample = {
  readonly file: string;
  readonly text: string;
  readonly title: string;
  readonly object: unknown;
  readonly collection: Collection;
  readonly issues: readonly Issue[];
};

const identity = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.object({
    name: z.string(),
    namespace: z.string().optional(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
});

function samplesBelow(folder: string): readonly Sample[] {
  return readdirSync(join(cluster, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yaml'))
    .toSorted()
    .flatMap((name) => {
      const text = readFileSync(join(cluster, folder, name), 'utf8');
      return splitDocuments(text)
        .filter((document) => /^kind:/m.test(document.text))
        .map((document) => sampleOf(`${folder}/${name}`, document.text));
    });
}

function sampleOf(file: string, text: string): Sample {
  const parsed = parseDocument(text);
  if (!parsed.ok) throw new Error(`${file}: ${parsed.error.message}`);
  const { apiVersion, kind, metadata } = identity.parse(parsed.value.value);
  const collection = collectionFor(apiVersion, kind);
  if (collection === undefined) throw new Error(`${file}: ${apiVersion} ${kind} is not read`);
  const { name, namespace = 'default', annotations = {} } = metadata;
  const scope = collection.scope === 'cluster' ? '' : namespace;
  const { issues } = collection.check(parsed.value.value, { name, namespace: scope, annotations });
  return { file, text, title: `${kind} ${name}`, object: parsed.value.value, collection, issues };
}

function said(issues: readonly Issue[]): readonly string[] {
  return issues.map(({ path, message }) => `${renderPath(path)}: ${message}`);
}

const valid = samplesBelow('objects');
const invalid = samplesBelow('invalid');

describe('objects that are accepted', () => {
  it.each(valid)('$file: $title', ({ issues }) => {
    expect(said(issues.filter(({ level }) => level === 'error'))).toEqual([]);
    // What is not known would not be read back from the API server.
    expect(said(issues.filter(({ code }) => code === 'XEB0008'))).toEqual([]);
  });

  it('have different names, so that all can be applied at once', () => {
    const names = valid.map(
      ({ title, object }) => `${title} ${JSON.stringify(identity.parse(object).metadata.namespace)}`,
    );
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  const istio: readonly Collection[] = Object.values(collections).filter(({ source }) => source === 'istio');

  it.each(istio)('use every field of $kind', ({ schema }) => {
    expect(unusedFields(schema, 'spec').filter((field) => !neverAccepted.test(field))).toEqual([]);
  });
});

describe('objects that are refused', () => {
  it.each(invalid)('$file: $title', ({ issues, text, object, collection }) => {
    const expected = text.split('\n').flatMap((line) => /^# expect: (.+)$/.exec(line)?.[1] ?? []);
    const errors = said(issues.filter(({ level }) => level === 'error'));
    expect(expected).not.toEqual([]);
    expect(expected.filter((part) => !errors.some((error) => error.includes(part)))).toEqual([]);
    // What the schema in the API server refuses, it refuses first, alone, and in its own words.
    const bySchema = collection.parse(object).spec === undefined;
    expect(expected.filter((part) => bySchema && part.includes(': '))).toEqual([]);
  });

  it('are many', () => {
    const inFile = (name: string): number => invalid.filter(({ file }) => file.endsWith(name)).length;
    expect(inFile('networking.yaml')).toBeGreaterThanOrEqual(50);
    expect(inFile('security.yaml')).toBeGreaterThanOrEqual(40);
  });
});

/** Fields that are known only to be refused. */
const neverAccepted = /\.(?:exponentialDelay|http2Error|targetRefs?\.namespace)$/;

/** Which fields of which messages the objects have; a message that several fields hold is one. */
const used = new Map<z.core.$ZodType, Set<string>>();
for (const { collection, object } of valid) noteFields(collection.schema, memberOf(object, 'spec'));

function noteFields(schema: z.core.$ZodType, value: unknown): void {
  const structure = structureOf(schema);
  if (typeof value !== 'object' || value === null) return;
  if (structure.kind === 'object') {
    const message = required(schema);
    const fields = used.get(message) ?? new Set();
    used.set(message, fields);
    for (const [name, member] of Object.entries(structure.members)) {
      if (!Object.hasOwn(value, name)) continue;
      fields.add(name);
      noteFields(member, memberOf(value, name));
    }
  } else if (structure.kind === 'list' || structure.kind === 'map') {
    for (const entry of Object.values(value)) noteFields(structure.element, entry);
  }
}

/** Paths of the fields of a schema that no object has, without the numbers of entries. */
function unusedFields(schema: z.core.$ZodType, at: string): readonly string[] {
  const structure = structureOf(schema);
  switch (structure.kind) {
    case 'object': {
      const known = used.get(required(schema));
      return Object.entries(structure.members).flatMap(([name, member]) =>
        known?.has(name) === true ? unusedFields(member, `${at}.${name}`) : [`${at}.${name}`],
      );
    }
    case 'list':
    case 'map':
      return unusedFields(structure.element, at);
    default:
      return [];
  }
}

function memberOf(value: unknown, name: string): unknown {
  const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
  return found;
}
