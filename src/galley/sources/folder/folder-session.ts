import { basename, join } from 'node:path';
import { ChangeSignal } from '../../../kit/change-signal.ts';
import type { Clock } from '../../../kit/clock.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import type { SourceSink } from '../source.ts';
import { DirectoryWatches } from './directory-watches.ts';
import { FileStore } from './file-store.ts';
import { FolderTree, type Found, isBelow, isBelowAny } from './folder-tree.ts';
import { RootChain } from './root-chain.ts';

export type FolderTimes = {
  /** After a change was told, the next one waits this long, so that a storm is told in batches. */
  readonly pauseMs: number;
  readonly settleQuietMs: number;
  readonly settleMaxMs: number;
  /** How often everything is looked at again, for what watches cannot see. */
  readonly rescanMs: number;
  /** The same when the system has no watches left. */
  readonly unwatchedRescanMs: number;
};

export type SessionInputs = {
  readonly root: string;
  readonly sink: SourceSink;
  readonly clock: Clock;
  readonly times: FolderTimes;
};

const READ_AT_ONCE = 16;

/** One run of a folder source, from the first look at the folder until the signal aborts. */
export class FolderSession {
  readonly #root: string;
  readonly #sink: SourceSink;
  readonly #clock: Clock;
  readonly #times: FolderTimes;
  readonly #changes = new ChangeSignal();
  readonly #watches = new DirectoryWatches((directory, name) => this.#onEvent(directory, name));
  readonly #chain: RootChain;
  readonly #tree: FolderTree;
  readonly #files: FileStore;
  readonly #dirty = new Set<string>();
  readonly #timers = new Set<Promise<void>>();
  #problems: readonly Diagnostic[] = [];
  #rootDirty = true;
  #fullLook = true;
  #synced = false;
  #toldAt = Number.NEGATIVE_INFINITY;
  #wakeAt = Number.POSITIVE_INFINITY;

  constructor({ root, sink, clock, times }: SessionInputs) {
    this.#root = root;
    this.#sink = sink;
    this.#clock = clock;
    this.#times = times;
    this.#chain = new RootChain(root, this.#watches);
    this.#tree = new FolderTree(root, this.#watches);
    this.#files = new FileStore({ quietMs: times.settleQuietMs, maxMs: times.settleMaxMs }, clock);
  }

  async run(signal: AbortSignal): Promise<void> {
    const rescans = this.#rescan(signal);
    try {
      this.#changes.raise();
      while (await this.#changes.next(signal)) {
        // The other events of the same write arrive in the same turn.
        await this.#clock.yield();
        const pause = this.#toldAt + this.#times.pauseMs - this.#clock.monotonic();
        if (pause > 0) await this.#clock.sleep(pause, signal);
        if (!signal.aborted) await this.#turn(signal);
      }
    } finally {
      this.#watches.close();
      await Promise.all([rescans, ...this.#timers]);
    }
  }

  #onEvent(directory: string, name: string | undefined): void {
    if (this.#chain.concerns(directory, name)) this.#rootDirty = true;
    const path = name === undefined ? directory : join(directory, name);
    for (const link of this.#tree.linksTo(path)) this.#dirty.add(link);
    if (this.#tree.isDirectory(directory)) {
      // A mounted ConfigMap swaps `..data`, through which its files are reached.
      if (name === undefined || name.startsWith('..')) this.#dirty.add(directory);
      else if (!name.startsWith('.')) this.#dirty.add(path);
    }
    if (this.#rootDirty || this.#dirty.size > 0) this.#changes.raise();
  }

  async #rescan(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { rescanMs, unwatchedRescanMs } = this.#times;
      await this.#clock.sleep(this.#watches.limited ? unwatchedRescanMs : rescanMs, signal);
      this.#fullLook = true;
      this.#changes.raise();
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const isThere = await this.#checkRoot();
    if (isThere && this.#fullLook) await this.#lookAtEverything();
    else if (isThere) await this.#lookAtChanges();
    if (isThere && this.#files.dueIn() === 0 && (await this.#chain.isThere())) await this.#files.settle();
    this.#tell();
    this.#wakeWhenDue(signal);
    if (isThere && !this.#synced) {
      this.#synced = true;
      this.#sink.synced();
    }
  }

  async #checkRoot(): Promise<boolean> {
    if (!this.#rootDirty && !this.#fullLook && this.#files.dueIn() !== 0) return true;
    const wasDirty = this.#rootDirty;
    this.#rootDirty = false;
    const isThere = await this.#chain.isThere();
    if (isThere) this.#fullLook ||= wasDirty;
    else {
      this.#dirty.clear();
      this.#files.forgetHeld();
      this.#report([missing(this.#root, this.#synced)]);
    }
    return isThere;
  }

  async #lookAtEverything(): Promise<void> {
    this.#fullLook = false;
    this.#dirty.clear();
    const found = await this.#tree.visit(this.#root);
    await this.#read(
      [...found.files].flatMap(([path, identity]) => (this.#files.isStale(path, identity) ? [path] : [])),
    );
    this.#compare(this.#root, found);
    this.#tree.retainWatches(this.#chain);
    this.#report([...this.#unlisted(found), ...(this.#watches.limited ? [unwatched(this.#root)] : [])]);
  }

  async #lookAtChanges(): Promise<void> {
    const paths = [...this.#dirty].sort();
    this.#dirty.clear();
    for (const path of paths) {
      const found = await this.#tree.visit(path);
      // An event says that the file was written, whatever its times say.
      await this.#read([...found.files.keys()]);
      this.#compare(path, found);
    }
  }

  async #read(paths: readonly string[]): Promise<void> {
    for (let start = 0; start < paths.length; start += READ_AT_ONCE) {
      const some = paths.slice(start, start + READ_AT_ONCE);
      await Promise.all(some.map((path) => (this.#synced ? this.#files.read(path) : this.#files.load(path))));
    }
  }

  /** Loses the files below `place` that are not there any more. */
  #compare(place: string, found: Found): void {
    for (const [path, message] of found.failed) if (this.#tree.isWanted(path)) this.#files.refuse(path, message);
    const known = found.directories.size > 0 || !this.#files.has(place) ? [...this.#files.paths()] : [place];
    for (const path of known) {
      if (isBelow(path, place) && !found.files.has(path) && !isBelowAny(path, found.failed)) this.#files.lose(path);
    }
  }

  #unlisted(found: Found): readonly Diagnostic[] {
    return [...found.failed]
      .filter(([path]) => !this.#tree.isWanted(path) || path === this.#root)
      .map(([path, message]) => problem('XEB1001', 'error', path, `${basename(path)} ${message}`));
  }

  #report(problems: readonly Diagnostic[]): void {
    if (JSON.stringify(problems) === JSON.stringify(this.#problems)) return;
    this.#problems = problems;
    this.#files.touchDiagnostics();
  }

  #tell(): void {
    const update = this.#files.takeUpdate();
    if (update.diagnostics === undefined) return;
    this.#toldAt = this.#clock.monotonic();
    this.#sink.apply({ ...update, diagnostics: [...this.#problems, ...update.diagnostics] });
  }

  #wakeWhenDue(signal: AbortSignal): void {
    const ms = this.#files.dueIn();
    if (ms === undefined) return;
    const at = this.#clock.monotonic() + ms;
    if (at >= this.#wakeAt) return;
    this.#wakeAt = at;
    const timer = this.#clock.sleep(Math.ceil(ms), signal).then(() => {
      this.#timers.delete(timer);
      this.#wakeAt = Number.POSITIVE_INFINITY;
      this.#changes.raise();
    });
    this.#timers.add(timer);
  }
}

function missing(root: string, wasThere: boolean): Diagnostic {
  const rest = wasThere
    ? 'what was last read stays in force until it is back; to remove objects, remove their files'
    : 'create it, or name another folder; nothing is served before it is read';
  return problem('XEB1012', 'error', root, `the folder ${root} does not exist: ${rest}`);
}

function unwatched(root: string): Diagnostic {
  const message = `${root} has more folders than the system can watch: changes are seen late; raise fs.inotify.max_user_watches`;
  return problem('XEB1013', 'warning', root, message);
}

function problem(code: string, level: 'error' | 'warning', file: string, message: string): Diagnostic {
  return { code, level, path: [], message, object: undefined, at: { file, line: 1, column: 1 } };
}
