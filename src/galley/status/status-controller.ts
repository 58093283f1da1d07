/**
 * Says of every object what became of it: conditions, Istio's validation messages and how many proxies have it. Promises that
 * only the leader writes, that what did not change is not written, and that a slow API server or replica delays nobody else.
 * Must never know how proxies are served: it is handed what they have.
 */
import type { Clock } from '../../kit/clock.ts';
import { type Runnable, runAll } from '../../kit/run-group.ts';
import type { EventRecorder, KubeApi, Leadership } from '../../kube/api.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { ObjectKey } from '../../model/ids.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { JudgedObject } from '../admit/config-store.ts';
import type { Distribution, DistributionFacts } from './distribution.ts';
import { type Posted, StatusBoard } from './status-board.ts';
import { buildPatch, type StatusPatch } from './status-patch.ts';
import { StatusWriter } from './status-writer.ts';

/** Who has the objects, and what is wrong with them. */
export interface ObjectFeed {
  objects(): Iterable<JudgedObject>;
  diagnostics(): readonly Diagnostic[];
  /** Whether everything that exists has been read. */
  isSynced(): boolean;
  /** Calls back when objects or diagnostics may be others. Returns how to stop. */
  onDiagnostics(listener: () => void): () => void;
}

export type StatusDeps = {
  readonly feed: ObjectFeed;
  readonly distribution: DistributionFacts;
  /** Where to write; without it the facts are there for those who ask (`posted`). */
  readonly kubernetes:
    | { readonly api: Pick<KubeApi, 'apply'>; readonly leadership: Leadership; readonly events: EventRecorder }
    | undefined;
  readonly clock: Clock;
  readonly log: Logger;
};

/** How often what proxies have is looked at. */
const TICK_MS = 1_000;
/** A look that costs much is taken more rarely: it may have a twentieth of the time, as long as people do not wait for a status. */
const SHARE = 20;
const MAX_PAUSE_MS = 10_000;

export class StatusController implements Runnable {
  readonly name = 'status';
  readonly #deps: StatusDeps;
  readonly #board: StatusBoard;
  readonly #writer: StatusWriter | undefined;
  #isLeading = false;
  #isMoved = true;
  /** Of the last look. */
  #costMs = 0;
  #facts: Distribution | undefined;

  constructor(deps: StatusDeps) {
    const { clock, log, kubernetes } = deps;
    this.#deps = deps;
    this.#board = new StatusBoard(clock);
    if (kubernetes !== undefined) {
      const { api, events } = kubernetes;
      this.#writer = new StatusWriter({ api, events, clock, log });
    }
  }

  /** What was found at the last look. */
  posted(): Iterable<Posted> {
    return this.#board.posted();
  }

  async run(signal: AbortSignal): Promise<void> {
    const watch: Runnable = { name: 'watch', run: (stop) => this.#watch(stop) };
    const lead: Runnable = { name: 'lead', run: (stop) => this.#lead(stop) };
    await runAll(this.#writer === undefined ? [watch] : [watch, lead], signal);
  }

  /** Looks now. */
  async refresh(signal: AbortSignal): Promise<void> {
    const { feed, distribution, clock } = this.#deps;
    const isMoved = this.#isMoved || this.#board.isWaiting;
    this.#isMoved = false;
    const facts = await distribution.read(this.#isLeading, signal);
    if (signal.aborted || (facts === this.#facts && !isMoved)) return;
    this.#facts = facts;
    const begin = clock.monotonic();
    await this.#board.refresh({ objects: feed.objects(), diagnostics: feed.diagnostics(), distribution: facts });
    this.#offer();
    this.#costMs = clock.monotonic() - begin;
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { feed, clock, log } = this.#deps;
    const stop = feed.onDiagnostics(() => {
      this.#isMoved = true;
    });
    while (!signal.aborted) {
      try {
        if (feed.isSynced() && this.#mustLook) await this.refresh(signal);
      } catch (error) {
        log.error({ error }, 'statuses cannot be found out, trying again');
        this.#isMoved = true;
      }
      await clock.sleep(Math.min(MAX_PAUSE_MS, Math.max(TICK_MS, this.#costMs * SHARE)), signal);
    }
    stop();
  }

  get #mustLook(): boolean {
    return this.#isMoved || this.#deps.distribution.isMoved || this.#board.isWaiting || this.#isLeading;
  }

  async #lead(signal: AbortSignal): Promise<void> {
    await this.#deps.kubernetes?.leadership.whileLeading(async (stop) => {
      this.#writer?.want(new Map(), () => undefined);
      this.#isLeading = true;
      this.#isMoved = true;
      await this.#writer?.run(stop);
      this.#isLeading = false;
    }, signal);
  }

  #offer(): void {
    if (!this.#isLeading || this.#writer === undefined) return;
    const patches = new Map<ObjectKey, StatusPatch>();
    const live = new Map<ObjectKey, unknown>();
    const now = this.#deps.clock.now();
    for (const posted of this.#board.posted()) {
      const { key, body } = posted.object.source;
      live.set(key, body['status']);
      const patch = buildPatch(posted, now);
      if (patch !== undefined) patches.set(key, patch);
    }
    this.#writer.want(patches, (key) => live.get(key));
    this.#writer.retain(live);
  }
}
