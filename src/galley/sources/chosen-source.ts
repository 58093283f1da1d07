import { runAll } from '../../kit/run-group.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { Source, SourceSink } from './source.ts';
import { aborted } from './text-source.ts';

/** Finds the sources, which may be none. As long as it cannot, `wait` is told why. */
export type ChooseSources = (wait: (reason: string) => void, signal: AbortSignal) => Promise<readonly Source[]>;

/** Sources that are known only once somebody was asked. They count as one: synced when each is, and with what each complains of. */
export class ChosenSource implements Source {
  readonly name: string;
  readonly #choose: ChooseSources;
  #reason = '';
  #sources: readonly Source[] | undefined;
  readonly #synced = new Set<Source>();

  constructor(name: string, choose: ChooseSources) {
    this.name = name;
    this.#choose = choose;
  }

  waitingFor(): readonly string[] {
    if (this.#sources === undefined) return this.#reason === '' ? [] : [this.#reason];
    const late = this.#sources.filter((source) => !this.#synced.has(source));
    return late.flatMap((source) => {
      const details = source.waitingFor?.() ?? [];
      return details.length === 0 ? [source.name] : details;
    });
  }

  async run(sink: SourceSink, signal: AbortSignal): Promise<void> {
    const wait = (reason: string): void => {
      this.#reason = reason;
    };
    const sources = await this.#choose(wait, signal);
    if (signal.aborted) return;
    this.#sources = sources;
    if (sources.length === 0) {
      sink.synced();
      await aborted(signal);
      return;
    }
    const diagnostics = new Map<Source, readonly Diagnostic[]>();
    const runSource = (source: Source, stop: AbortSignal): Promise<void> =>
      source.run(
        {
          apply: ({ diagnostics: own, ...update }) => {
            if (own === undefined) return sink.apply(update);
            diagnostics.set(source, own);
            sink.apply({ ...update, diagnostics: [...diagnostics.values()].flat() });
          },
          synced: () => {
            this.#synced.add(source);
            if (this.#synced.size === sources.length) sink.synced();
          },
        },
        stop,
      );
    await runAll(
      sources.map((source) => ({ name: source.name, run: (stop) => runSource(source, stop) })),
      signal,
    );
  }
}
