import type { Collection } from '../../../apis/collections.ts';
import { ChangeSignal } from '../../../kit/change-signal.ts';
import type { Reflect, ReflectionState } from '../../../kube/reflection.ts';
import type { ObjectKey } from '../../../model/ids.ts';
import type { SourceObject } from '../source.ts';
import { keyOf, narrowObject } from './narrow.ts';

/** What of a kind is to be read: which version, of which incarnation of its definition. */
export type Target =
  | { readonly kind: 'version'; readonly version: string; readonly definition: string }
  /** Not known yet. */
  | { readonly kind: 'unknown' }
  /** The cluster does not have the kind, or no version of it that is read. */
  | { readonly kind: 'none' };

export type KindFeedDeps = {
  readonly collection: Collection;
  /** Empty for all. */
  readonly namespace: string;
  readonly fieldSelector: string | undefined;
  readonly reflect: Reflect;
  /** Whether objects vanish only because their definition does: then the last good ones stay in force. */
  readonly isDefinitionGoing: () => Promise<boolean>;
  readonly apply: (upserts: readonly SourceObject[], deletes: readonly ObjectKey[]) => void;
  /** Called when `state`, `isSettled` or `held` may have changed. */
  readonly changed: () => void;
};

type Step = {
  /** Whether it was told of what is read now. */
  readonly isCurrent: () => boolean;
  /** Nothing when it says that everything was told. */
  readonly change: { readonly upserts: readonly SourceObject[]; readonly deletes: readonly ObjectKey[] } | undefined;
};

/** The objects of one kind, from whichever version the cluster serves. */
export class KindFeed {
  readonly collection: Collection;
  readonly #deps: KindFeedDeps;
  readonly #retarget = new ChangeSignal();
  readonly #keys = new Set<ObjectKey>();
  /** Keys from before a fresh start that have not been seen again. */
  #stale = new Set<ObjectKey>();
  #target: Target = { kind: 'unknown' };
  #state: ReflectionState = { kind: 'starting' };
  #isSettled = false;
  readonly #steps: Step[] = [];
  #isStepping = false;
  #stop = new AbortController();

  constructor(deps: KindFeedDeps) {
    this.#deps = deps;
    this.collection = deps.collection;
  }

  /** Where it reads; empty for everywhere. */
  get namespace(): string {
    return this.#deps.namespace;
  }

  get state(): ReflectionState {
    return this.#target.kind === 'none' ? { kind: 'absent', message: '' } : this.#state;
  }

  /** Whether everything that exists has been applied once. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** How many objects are in force though their definition is gone. */
  get held(): number {
    return this.#target.kind === 'none' ? this.#keys.size : 0;
  }

  /** Says which version to read from now on. */
  aim(target: Target): void {
    if (sameTarget(target, this.#target)) return;
    this.#target = target;
    this.#retarget.raise();
    this.#stop.abort();
  }

  async run(signal: AbortSignal): Promise<void> {
    while (await this.#retarget.next(signal)) {
      this.#stop = new AbortController();
      const stop = AbortSignal.any([signal, this.#stop.signal]);
      const target = this.#target;
      if (target.kind === 'none') this.#settle();
      else if (target.kind === 'version') await this.#follow(target.version, stop);
    }
  }

  async #follow(version: string, stop: AbortSignal): Promise<void> {
    const { collection, namespace, fieldSelector, reflect } = this.#deps;
    const { group, plural, kind } = collection;
    const apiVersion = group === '' ? version : `${group}/${version}`;
    this.#stale = new Set(this.#keys);
    this.#state = { kind: 'starting' };
    const isCurrent = (): boolean => !stop.aborted;
    await reflect<SourceObject>({
      type: { group, version, plural },
      namespace,
      selectors: fieldSelector === undefined ? {} : { fieldSelector },
      project: (object) => narrowObject(object, { apiVersion, kind }),
      keyOf: (object) => keyOf(object, kind),
      onChange: ({ upserts, deletes }) => {
        this.#enqueue({ isCurrent, change: { upserts, deletes: deletes as readonly ObjectKey[] } });
      },
      onSynced: () => this.#enqueue({ isCurrent, change: undefined }),
      onState: (state) => {
        if (isCurrent()) this.#tell(state);
      },
    }).run(stop);
  }

  #tell(state: ReflectionState): void {
    this.#state = state;
    // A resource that is not there has no objects to wait for.
    if (state.kind === 'absent') this.#settle();
    else this.#deps.changed();
  }

  /** In order, and one at a time: a deletion has to be looked into first. */
  #enqueue(step: Step): void {
    this.#steps.push(step);
    if (!this.#isStepping) void this.#take();
  }

  async #take(): Promise<void> {
    this.#isStepping = true;
    for (let step = this.#steps.shift(); step !== undefined; step = this.#steps.shift()) {
      const { isCurrent, change } = step;
      const isHeld = change !== undefined && change.deletes.length > 0 && (await this.#deps.isDefinitionGoing());
      // Whoever reads now lists everything once more, and what an earlier one missed is not gone.
      if (!isCurrent()) continue;
      if (change === undefined) this.#onSynced();
      else this.#apply(change.upserts, isHeld ? [] : change.deletes);
    }
    this.#isStepping = false;
  }

  #apply(upserts: readonly SourceObject[], deletes: readonly ObjectKey[]): void {
    for (const { key } of upserts) {
      this.#keys.add(key);
      this.#stale.delete(key);
    }
    for (const key of deletes) {
      this.#keys.delete(key);
      this.#stale.delete(key);
    }
    if (upserts.length > 0 || deletes.length > 0) this.#deps.apply(upserts, deletes);
  }

  #onSynced(): void {
    const gone = [...this.#stale];
    this.#stale = new Set();
    this.#apply([], gone);
    this.#settle();
  }

  #settle(): void {
    this.#isSettled = true;
    this.#deps.changed();
  }
}

function sameTarget(a: Target, b: Target): boolean {
  return (
    a.kind === b.kind &&
    (a.kind !== 'version' || b.kind !== 'version' || (a.version === b.version && a.definition === b.definition))
  );
}
