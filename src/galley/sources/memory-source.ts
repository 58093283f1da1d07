import { type ObjectKey, objectKey } from '../../model/ids.ts';
import { parseDocument } from '../yaml/parse-document.ts';
import { splitDocuments } from '../yaml/split-documents.ts';
import { findObjects } from './folder/find-objects.ts';
import type { Source, SourceObject, SourceSink } from './source.ts';
import { aborted } from './text-source.ts';

/** Objects that the program itself brings: tests, local mode. What is applied before `run` is there at once. */
export class MemorySource implements Source {
  readonly name: string;
  readonly #objects = new Map<ObjectKey, SourceObject>();
  #sink: SourceSink | undefined;

  constructor(name = 'memory') {
    this.name = name;
  }

  /** Brings whole objects (`apiVersion`, `kind`, `metadata` …), all in one update. Throws on what is no object of the mesh. */
  apply(...bodies: readonly unknown[]): void {
    const upserts = bodies.flatMap((body) => objectsIn(body));
    for (const object of upserts) this.#objects.set(object.key, object);
    this.#sink?.apply({ upserts, deletes: [] });
  }

  /** Brings the objects of a YAML text, as a file would. Throws on what cannot be parsed. */
  applyYaml(text: string): void {
    const values = splitDocuments(text).map((document) => {
      const parsed = parseDocument(document.text);
      if (!parsed.ok) throw new Error(`line ${document.line}: ${parsed.error.message}`);
      return parsed.value.value;
    });
    this.apply(...values);
  }

  /** Removes an object; one that is not there is no mistake. */
  delete(kind: string, namespace: string, name: string): void {
    const key = objectKey(kind, namespace, name);
    if (this.#objects.delete(key)) this.#sink?.apply({ upserts: [], deletes: [key] });
  }

  clear(): void {
    const deletes = [...this.#objects.keys()];
    this.#objects.clear();
    this.#sink?.apply({ upserts: [], deletes });
  }

  async run(sink: SourceSink, signal: AbortSignal): Promise<void> {
    this.#sink = sink;
    sink.apply({ upserts: [...this.#objects.values()], deletes: [] });
    sink.synced();
    await aborted(signal);
    this.#sink = undefined;
  }
}

function objectsIn(body: unknown): readonly SourceObject[] {
  const { found, problems } = findObjects(body);
  const problem = problems[0];
  if (problem !== undefined) throw new Error(problem.message);
  return found.map(({ object }) => object);
}
