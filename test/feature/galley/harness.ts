import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Kind } from '../../../src/apis/collections.ts';
import { Galley } from '../../../src/galley/galley.ts';
import type { FolderTimes } from '../../../src/galley/sources/folder/folder-session.ts';
import { FolderSource } from '../../../src/galley/sources/folder-source.ts';
import { MeshConfigFile } from '../../../src/galley/sources/mesh-config-file.ts';
import type { Source } from '../../../src/galley/sources/source.ts';
import { systemClock } from '../../../src/kit/system-clock.ts';
import type { Diagnostic } from '../../../src/model/diagnostic.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';

const PATIENCE_MS = 5_000;

/** A folder of its own for one test, gone afterwards. */
export class Folder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<Folder> {
    const path = await mkdtemp(join(tmpdir(), 'galley-'));
    onTestFinished(() => rm(path, { recursive: true, force: true }));
    return new Folder(path);
  }

  at(name: string): string {
    return join(this.path, name);
  }

  /** Writes in place, as a shell's `>` does. */
  async write(name: string, text: string | Uint8Array): Promise<void> {
    await mkdir(dirname(this.at(name)), { recursive: true });
    await writeFile(this.at(name), text);
  }

  /** Writes beside it and renames, as editors do. */
  async replace(name: string, text: string): Promise<void> {
    const draft = `${this.at(name)}.tmp`;
    await writeFile(draft, text);
    await rename(draft, this.at(name));
  }

  async remove(name: string): Promise<void> {
    await rm(this.at(name), { recursive: true });
  }
}

export type RunningOptions = {
  readonly sources?: readonly Source[];
  readonly meshConfigFile?: string;
  readonly times?: Partial<FolderTimes>;
};

/** A galley that follows a folder, as the process runs it. */
export class RunningGalley {
  readonly galley: Galley;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  private constructor(galley: Galley) {
    this.galley = galley;
    this.#done = galley.run(this.#stop.signal);
  }

  static start(root: string, { sources = [], meshConfigFile, times = {} }: RunningOptions = {}): RunningGalley {
    const file =
      meshConfigFile === undefined ? undefined : new MeshConfigFile({ path: meshConfigFile, clock: systemClock });
    const running = new RunningGalley(
      new Galley({
        sources: [new FolderSource({ path: root, clock: systemClock, times }), ...sources],
        meshConfigFile: file,
        rootNamespace: 'istio-system',
        domain: 'cluster.local',
        clock: systemClock,
        log: silentLogger,
      }),
    );
    onTestFinished(() => running.stop());
    return running;
  }

  static async synced(root: string, options?: RunningOptions): Promise<RunningGalley> {
    const running = RunningGalley.start(root, options);
    await running.until(() => running.galley.synced);
    return running;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  /** The names of all objects of a kind, `namespace/name`. */
  names(kind: Kind): readonly string[] {
    const objects = this.galley.snapshot()?.objects[kind] ?? [];
    return objects.map(({ meta }) => `${meta.namespace}/${meta.name}`);
  }

  diagnostics(code?: string): readonly Diagnostic[] {
    return this.galley.diagnostics().filter((diagnostic) => code === undefined || diagnostic.code === code);
  }

  /** Waits until a condition holds, looking each time galley has news. */
  async until(condition: () => boolean): Promise<void> {
    if (condition()) return;
    const patience = new AbortController();
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (condition()) finish(resolve);
      };
      const stops = [this.galley.onChange(look), this.galley.onDiagnostics(look)];
      const finish = (settle: () => void): void => {
        for (const stop of stops) stop();
        patience.abort();
        settle();
      };
      void systemClock.sleep(PATIENCE_MS, patience.signal).then(() => {
        const state = JSON.stringify(this.galley.diagnostics().map(({ code, message }) => `${code} ${message}`));
        finish(() => reject(new Error(`not within ${PATIENCE_MS} ms: ${String(condition)}; diagnostics ${state}`)));
      });
    });
  }

  /** Waits until the names of a kind are these, in any order. */
  async untilNames(kind: Kind, names: readonly string[]): Promise<void> {
    const wanted = [...names].sort().join();
    await this.until(() => [...this.names(kind)].sort().join() === wanted);
  }
}

export type RouteText = { readonly namespace?: string; readonly host?: string; readonly more?: string };

/** A VirtualService as one document. */
export function route(name: string, { namespace, host = name, more = '' }: RouteText = {}): string {
  const lines = [
    'apiVersion: networking.istio.io/v1',
    'kind: VirtualService',
    'metadata:',
    `  name: ${name}`,
    ...(namespace === undefined ? [] : [`  namespace: ${namespace}`]),
    'spec:',
    `  hosts: [${host}]`,
    '  http:',
    '  - route:',
    '    - destination:',
    `        host: ${host}`,
  ];
  return `${lines.join('\n')}\n${more}`;
}

/** Documents in one file. */
export function documents(...texts: readonly string[]): string {
  return texts.join('---\n');
}
