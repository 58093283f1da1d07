import type { Clock } from '../../../kit/clock.ts';
import { compareText } from '../../../kit/order.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import type { SourceUpdate } from '../source.ts';
import { type FileReading, looksUnfinished, readDocuments, refusedReading } from './file-reading.ts';
import { ObjectIndex } from './object-index.ts';
import { readText, type TextReading } from './read-text.ts';
import { type Held, type SettleTimes, Settling } from './settling.ts';

/** How much a reading is trusted: at the start there is nothing to lose, and what was held back long enough is believed. */
type Trust = { readonly kind: 'first' } | { readonly kind: 'careful' } | { readonly kind: 'held'; readonly held: Held };

const FIRST_TRIES = 3;

/** The files of a folder as they were last believed, and the objects they define. */
export class FileStore {
  readonly #clock: Clock;
  readonly #files = new Map<string, FileReading>();
  readonly #index = new ObjectIndex();
  readonly #settling: Settling;
  #diagnosed = false;

  constructor(times: SettleTimes, clock: Clock) {
    this.#settling = new Settling(times);
    this.#clock = clock;
  }

  paths(): Iterable<string> {
    return this.#files.keys();
  }

  has(path: string): boolean {
    return this.#files.has(path);
  }

  /** Whether a file may have changed since it was read. */
  isStale(path: string, identity: string): boolean {
    const known = this.#files.get(path);
    return known === undefined || known.racy || known.identity !== identity;
  }

  /** Reads a file for the first time, before anything was told: whatever it holds is taken. */
  async load(path: string): Promise<void> {
    await this.#read(path, { kind: 'first' });
  }

  /** Reads a file that changed. What it gained is taken at once, what it lost is held back. */
  async read(path: string): Promise<void> {
    await this.#read(path, { kind: 'careful' });
  }

  /** A file that is there but cannot be looked at. */
  refuse(path: string, message: string): void {
    const known = this.#files.get(path);
    if (known?.refusal === message) return;
    this.#take(path, refusedReading(path, { kind: 'refused', code: 'XEB1001', message }, known));
  }

  /** A file that is not there any more. */
  lose(path: string): void {
    if (this.#files.has(path) && this.#settling.get(path) !== 'gone') this.#hold(path, 'gone');
    else if (!this.#files.has(path)) this.#settling.release(path);
  }

  /** Milliseconds until something held back is believed. */
  dueIn(): number | undefined {
    return this.#settling.dueIn(this.#clock.monotonic());
  }

  /** Takes what was held back long enough, after a last look. */
  async settle(): Promise<void> {
    for (const [path, held] of this.#settling.takeDue(this.#clock.monotonic())) {
      await this.#read(path, { kind: 'held', held });
    }
  }

  /** Whatever was held back was not meant: the folder itself went away. */
  forgetHeld(): void {
    this.#settling.clear();
  }

  /** The next update carries diagnostics even if no file has any. */
  touchDiagnostics(): void {
    this.#diagnosed = true;
  }

  /** What changed since the last call; its diagnostics are absent when they did not. */
  takeUpdate(): SourceUpdate {
    const { upserts, deletes, duplicatesMoved } = this.#index.takeUpdate();
    const diagnosed = this.#diagnosed || duplicatesMoved || upserts.length > 0 || deletes.length > 0;
    this.#diagnosed = false;
    return diagnosed ? { upserts, deletes, diagnostics: this.#diagnostics() } : { upserts, deletes };
  }

  #diagnostics(): readonly Diagnostic[] {
    const files = [...this.#files.values()].filter((reading) => reading.diagnostics.length > 0);
    files.sort((a, b) => compareText(a.file, b.file));
    return [...files.flatMap((reading) => reading.diagnostics), ...this.#index.duplicates()];
  }

  async #read(path: string, trust: Trust): Promise<void> {
    const text = await this.#text(path, trust);
    const known = this.#files.get(path);
    if (text.kind === 'gone') {
      if (trust.kind === 'held' && trust.held === 'gone') this.#drop(path);
      else this.lose(path);
      return;
    }
    if (known !== undefined && isSame(known, text)) {
      this.#settling.release(path);
      if (text.kind === 'text') this.#files.set(path, { ...known, identity: text.identity, racy: false });
      return;
    }
    const held = this.#settling.get(path);
    if (held !== undefined && held !== 'gone' && isSame(held, text)) return;
    const reading = await readDocuments({ file: path, text, previous: known, clock: this.#clock });
    if (this.#isCredible(reading, text, trust)) this.#take(path, reading);
    else this.#hold(path, reading);
  }

  async #text(path: string, trust: Trust): Promise<TextReading> {
    let text = await readText(path);
    const tries = trust.kind === 'first' ? FIRST_TRIES : 1;
    for (let n = 1; n < tries && text.kind === 'text' && text.torn; n += 1) text = await readText(path);
    return text;
  }

  #isCredible(reading: FileReading, text: Exclude<TextReading, { kind: 'gone' }>, trust: Trust): boolean {
    if (trust.kind === 'first') return true;
    if (trust.kind === 'held' && trust.held !== 'gone' && isSame(trust.held, text)) return true;
    const torn = text.kind === 'text' && text.torn;
    return !torn && !looksUnfinished(this.#files.get(reading.file), reading);
  }

  #hold(path: string, held: Held): void {
    this.#settling.hold(path, held, this.#clock.monotonic());
  }

  #take(path: string, reading: FileReading): void {
    this.#settling.release(path);
    this.#diagnosed ||= reading.diagnostics.length > 0 || (this.#files.get(path)?.diagnostics.length ?? 0) > 0;
    this.#files.set(path, reading);
    this.#index.replace(path, reading.objects);
  }

  #drop(path: string): void {
    this.#settling.release(path);
    this.#diagnosed ||= (this.#files.get(path)?.diagnostics.length ?? 0) > 0;
    this.#files.delete(path);
    this.#index.replace(path, []);
  }
}

function isSame(known: FileReading, text: Exclude<TextReading, { kind: 'gone' }>): boolean {
  return text.kind === 'text' ? known.text === text.text : known.refusal === text.message;
}
