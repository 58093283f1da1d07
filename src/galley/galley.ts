import { ChangeSignal } from '../kit/change-signal.ts';
import type { Clock } from '../kit/clock.ts';
import { memoByIdentity } from '../kit/memo.ts';
import { type Runnable, runAll } from '../kit/run-group.ts';
import { Turn } from '../kit/turn.ts';
import type { ConfigSnapshot } from '../model/config-snapshot.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { Logger } from '../telemetry/logger.ts';
import { ConfigStore, type JudgedObject } from './admit/config-store.ts';
import { DiagnosticLog } from './admit/diagnostic-log.ts';
import { sortDiagnostics } from './admit/diagnostics.ts';
import { MeshSettings } from './admit/mesh-settings.ts';
import { analyze } from './analyzers/analyze.ts';
import type { MeshConfigFile, MeshFileReading } from './sources/mesh-config-file.ts';
import type { Source, SourceUpdate } from './sources/source.ts';

export type GalleyDeps = {
  /** Where two have the same object, the earlier one has the say. */
  readonly sources: readonly Source[];
  /** Has the say over the ConfigMap's mesh configuration. */
  readonly meshConfigFile: MeshConfigFile | undefined;
  /** Where the ConfigMap `istio` is. */
  readonly rootNamespace: string;
  /** Of the Kubernetes cluster's names: `cluster.local`. */
  readonly domain: string;
  readonly clock: Clock;
  readonly log: Logger;
};

type Step =
  | { readonly kind: 'update'; readonly source: number; readonly update: SourceUpdate }
  | { readonly kind: 'synced'; readonly source: number }
  | { readonly kind: 'mesh'; readonly reading: MeshFileReading };

export type OnSnapshot = (snapshot: ConfigSnapshot) => void;

/**
 * Owns the configuration: runs the sources, admits their objects, publishes immutable snapshots.
 * Promises: nothing before all sources are synced; what did not change is the same object; a bad object hurts only itself.
 * Must never know who consumes a snapshot, nor anything of Envoy.
 */
export class Galley implements Runnable {
  readonly name = 'galley';
  readonly #deps: GalleyDeps;
  readonly #store: ConfigStore;
  readonly #mesh: MeshSettings;
  readonly #log: DiagnosticLog;
  readonly #queue: Step[] = [];
  readonly #changes = new ChangeSignal();
  readonly #waiting: Set<number | 'mesh'>;
  readonly #onSnapshot = new Set<OnSnapshot>();
  readonly #onDiagnostics = new Set<() => void>();
  readonly #analyze: (snapshot: ConfigSnapshot) => readonly Diagnostic[];
  #snapshot: ConfigSnapshot | undefined;
  #diagnostics: readonly Diagnostic[] | undefined;

  constructor(deps: GalleyDeps) {
    this.#deps = deps;
    this.#store = new ConfigStore(deps.sources.map((source) => source.name));
    this.#mesh = new MeshSettings(deps.rootNamespace);
    this.#log = new DiagnosticLog(deps.log);
    this.#waiting = new Set(deps.sources.keys());
    if (deps.meshConfigFile !== undefined) this.#waiting.add('mesh');
    this.#analyze = memoByIdentity((snapshot: ConfigSnapshot) => analyze(snapshot, deps.domain));
  }

  async run(signal: AbortSignal): Promise<void> {
    await runAll([...this.#sources(), { name: 'admission', run: (stop) => this.#admitAll(stop) }], signal);
  }

  /** Whether every source has brought everything that exists. */
  get synced(): boolean {
    return this.#waiting.size === 0;
  }

  /** The names of the sources that are still to sync, with what they wait for themselves. */
  waitingFor(): readonly string[] {
    const { sources, meshConfigFile } = this.#deps;
    return [...this.#waiting].map((source) => {
      if (source === 'mesh') return meshConfigFile?.name ?? '';
      const details = sources[source]?.waitingFor?.() ?? [];
      const name = sources[source]?.name ?? '';
      return details.length === 0 ? name : `${name} (${details.join('; ')})`;
    });
  }

  /** The newest snapshot; nothing before all sources are synced. */
  snapshot(): ConfigSnapshot | undefined {
    return this.#snapshot;
  }

  /** Every object of every source, good or bad. */
  objects(): Iterable<JudgedObject> {
    return this.#store.judged();
  }

  /**
   * Calls `listener` with each new snapshot, the first one included if it comes later. Changes that arrive together are one
   * snapshot, and one in which nothing changed is not published. Returns how to stop.
   */
  onChange(listener: OnSnapshot): () => void {
    this.#onSnapshot.add(listener);
    return () => this.#onSnapshot.delete(listener);
  }

  /** Calls `listener` when `diagnostics()` may have another answer. Returns how to stop. */
  onDiagnostics(listener: () => void): () => void {
    this.#onDiagnostics.add(listener);
    return () => this.#onDiagnostics.delete(listener);
  }

  /** Everything that is wrong now: what sources, admission and analysis say, in a stable order. Made when asked for. */
  diagnostics(): readonly Diagnostic[] {
    this.#diagnostics ??= sortDiagnostics([...this.#ownDiagnostics(), ...this.#analysis()]);
    return this.#diagnostics;
  }

  #sources(): readonly Runnable[] {
    const { sources, meshConfigFile } = this.#deps;
    const runnables = sources.map((source, index) => ({
      name: source.name,
      run: (signal: AbortSignal) =>
        source.run(
          {
            apply: (update) => this.#enqueue({ kind: 'update', source: index, update }),
            synced: () => this.#enqueue({ kind: 'synced', source: index }),
          },
          signal,
        ),
    }));
    if (meshConfigFile === undefined) return runnables;
    const onReading = (reading: MeshFileReading): void => this.#enqueue({ kind: 'mesh', reading });
    return [...runnables, { name: meshConfigFile.name, run: (signal) => meshConfigFile.run(onReading, signal) }];
  }

  #enqueue(step: Step): void {
    this.#queue.push(step);
    this.#changes.raise();
  }

  async #admitAll(signal: AbortSignal): Promise<void> {
    while (await this.#changes.next(signal)) {
      const turn = new Turn(this.#deps.clock);
      for (const step of this.#queue.splice(0)) await this.#take(step, turn);
      this.#diagnostics = undefined;
      if (this.synced) this.#publish();
      this.#log.compare(this.#ownDiagnostics());
      for (const listener of this.#onDiagnostics) listener();
    }
  }

  async #take(step: Step, turn: Turn): Promise<void> {
    switch (step.kind) {
      case 'synced':
        this.#waiting.delete(step.source);
        return;
      case 'mesh':
        this.#mesh.fileChanged(step.reading);
        this.#waiting.delete('mesh');
        return;
      case 'update':
        return this.#apply(step.source, step.update, turn);
    }
  }

  async #apply(source: number, { upserts, deletes, diagnostics }: SourceUpdate, turn: Turn): Promise<void> {
    for (const key of deletes) this.#store.delete(source, key);
    for (const object of upserts) {
      this.#store.upsert(source, object);
      await turn.share();
    }
    if (diagnostics !== undefined) this.#store.report(source, diagnostics);
  }

  #publish(): void {
    const previous = this.#snapshot;
    const objects = this.#store.objects();
    this.#mesh.objectsChanged(objects.ConfigMap);
    const { mesh, networks } = this.#mesh;
    if (previous?.objects === objects && previous.mesh === mesh && previous.networks === networks) return;
    const snapshot = { objects, mesh, networks };
    this.#snapshot = snapshot;
    if (previous === undefined) this.#deps.log.info({ sources: this.#deps.sources.length }, 'configuration synced');
    for (const listener of this.#onSnapshot) listener(snapshot);
  }

  #ownDiagnostics(): readonly Diagnostic[] {
    const mesh = this.#mesh.diagnostics();
    return mesh.length === 0 ? this.#store.diagnostics() : [...this.#store.diagnostics(), ...this.#located(mesh)];
  }

  #analysis(): readonly Diagnostic[] {
    return this.#snapshot === undefined ? [] : this.#located(this.#analyze(this.#snapshot));
  }

  #located(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
    return diagnostics.map((item) =>
      item.at !== undefined || item.object === undefined
        ? item
        : { ...item, at: this.#store.locate(item.object, item.path) },
    );
  }
}
