import type { Clock } from '../../kit/clock.ts';
import { readDocuments } from './folder/file-reading.ts';
import { ObjectIndex } from './folder/object-index.ts';
import type { Source, SourceSink } from './source.ts';

/** A text that was read once, such as standard input. It never changes. */
export class TextSource implements Source {
  readonly name: string;
  readonly #text: string;
  readonly #clock: Clock;

  /** `name` stands where a file's name would, in the positions of diagnostics. */
  constructor(inputs: { readonly name: string; readonly text: string; readonly clock: Clock }) {
    this.name = inputs.name;
    this.#text = inputs.text;
    this.#clock = inputs.clock;
  }

  async run(sink: SourceSink, signal: AbortSignal): Promise<void> {
    const text = { kind: 'text', text: this.#text, identity: '', writtenAt: 0, torn: false, damaged: false } as const;
    const reading = await readDocuments({ file: this.name, text, previous: undefined, clock: this.#clock });
    const index = new ObjectIndex();
    index.replace(this.name, reading.objects);
    const { upserts, deletes } = index.takeUpdate();
    sink.apply({ upserts, deletes, diagnostics: [...reading.diagnostics, ...index.duplicates()] });
    sink.synced();
    await aborted(signal);
  }
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
