// crds/: one file per kind, written from the schemas in src/apis and committed, so that people can read and apply them.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dump, YAML11_SCHEMA } from 'js-yaml';
import { type Collection, collections } from '../../../src/apis/collections.ts';
import { checkout } from '../../paths.mjs';
import { buildDefinition } from './definition.ts';

const folder = join(checkout, 'crds');
const head = '# Written by `npm run generate` from the schemas in src/apis. Do not edit.\n';

/** `kubectl apply` keeps the whole object in an annotation of at most 262144 bytes. */
const mostBytes = 256_000;

/** What crds/ holds when it is fresh: text by name of the file. */
export function buildCrdFiles(): ReadonlyMap<string, string> {
  const istio = Object.values(collections).filter((collection: Collection) => collection.source === 'istio');
  return new Map(istio.map((collection: Collection) => [nameOf(collection), textOf(collection)] as const));
}

function nameOf({ plural, group }: Collection): string {
  return `${plural}.${group}.yaml`;
}

function textOf(collection: Collection): string {
  const definition = buildDefinition(collection);
  const bytes = JSON.stringify(definition).length;
  if (bytes > mostBytes)
    throw new Error(`the CRD of ${collection.kind} is too large for kubectl apply: ${bytes} bytes`);
  // Kubernetes reads YAML 1.1, where OFF is a boolean: so it is quoted.
  return head + dump(definition, { lineWidth: 120, noRefs: true, schema: YAML11_SCHEMA });
}

/** Which files are missing, differ, or are not of a kind. */
export function staleCrdFiles(): readonly string[] {
  const wanted = buildCrdFiles();
  const present = existsSync(folder) ? readdirSync(folder) : [];
  const superfluous = present.filter((name) => !wanted.has(name));
  const different = [...wanted].filter(
    ([name, text]) => !present.includes(name) || readFileSync(join(folder, name), 'utf8') !== text,
  );
  return [...superfluous, ...different.map(([name]) => name)];
}

export function writeCrdFiles(): void {
  mkdirSync(folder, { recursive: true });
  const wanted = buildCrdFiles();
  for (const name of staleCrdFiles()) {
    const text = wanted.get(name);
    if (text === undefined) rmSync(join(folder, name));
    else writeFileSync(join(folder, name), text);
  }
}
