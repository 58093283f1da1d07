import { ChangeSignal } from '../../kit/change-signal.ts';
import { PodAddresses } from '../plan/addresses.ts';
import type { PodHost } from '../plan/local-source.ts';
import type { PodState } from '../plan/objects.ts';
import type { PodPlan } from '../plan/pod-plan.ts';
import { type PodDeps, type PodReport, PodRunner } from './pod-runner.ts';

/** Long enough for every client to hear that a pod's endpoints go before the pod does. */
const DRAIN_MS = 1_500;

type Entry = { readonly runner: PodRunner; readonly stop: AbortController; isLeaving: boolean };

/**
 * Makes the pods that run match the pods that should. A pod whose template changed is replaced: the new ones come first, the
 * old ones go when all new ones of their Deployment are ready.
 */
export class Pods implements PodHost {
  readonly name = 'pods';
  readonly #deps: PodDeps;
  readonly #onChange: () => void;
  readonly #addresses = new PodAddresses();
  readonly #entries = new Map<string, Entry>();
  readonly #wake = new ChangeSignal();
  readonly #running = new Map<string, Promise<void>>();
  #wanted: ReadonlyMap<string, PodPlan> = new Map();

  constructor(deps: PodDeps) {
    this.#onChange = deps.onChange;
    this.#deps = {
      ...deps,
      onChange: () => {
        this.#wake.raise();
        this.#onChange();
      },
    };
  }

  get states(): readonly PodState[] {
    return [...this.#entries.values()].map(({ runner }) => runner.state);
  }

  get reports(): readonly PodReport[] {
    return [...this.#entries.values()].map(({ runner }) => runner.report);
  }

  /** New pods have their addresses at once, so that the mesh knows them before their Envoys call. */
  setPlans(plans: readonly PodPlan[]): void {
    this.#wanted = new Map(plans.map((plan) => [keyOf(plan), plan]));
    for (const [key, plan] of this.#wanted) {
      if (this.#entries.get(key)?.isLeaving === false) continue;
      if (this.#entries.has(key)) continue;
      const runner = new PodRunner({ plan, address: this.#addresses.take() }, this.#deps);
      this.#entries.set(key, { runner, stop: new AbortController(), isLeaving: false });
    }
    this.#wake.raise();
  }

  async run(signal: AbortSignal): Promise<void> {
    while (await this.#wake.next(signal)) {
      for (const [key, entry] of this.#entries) {
        if (!this.#running.has(key)) this.#running.set(key, this.#runPod(key, entry, signal));
        else if (!entry.isLeaving && this.#mayLeave(key, entry)) this.#retire(entry, signal);
      }
    }
    await Promise.all(this.#running.values());
  }

  #mayLeave(key: string, { runner }: Entry): boolean {
    if (this.#wanted.has(key)) return false;
    const { namespace, deployment, templateHash } = runner.plan;
    const siblings = [...this.#wanted].filter(
      ([, plan]) => plan.namespace === namespace && plan.deployment === deployment,
    );
    const isReplaced = siblings.some(([, plan]) => plan.templateHash !== templateHash);
    return !isReplaced || siblings.every(([sibling]) => this.#entries.get(sibling)?.runner.isReady === true);
  }

  #retire(entry: Entry, signal: AbortSignal): void {
    entry.isLeaving = true;
    entry.runner.beginTermination();
    const drained = this.#deps.clock.sleep(DRAIN_MS, signal);
    void drained.then(() => entry.stop.abort());
  }

  async #runPod(key: string, { runner, stop }: Entry, signal: AbortSignal): Promise<void> {
    try {
      await runner.run(AbortSignal.any([signal, stop.signal]));
    } catch (error) {
      // One pod's trouble is not the others'; the next time it is asked for, it is made anew.
      this.#deps.log.error({ pod: runner.plan.name, error: String(error) }, 'pod failed');
    }
    if (signal.aborted) return;
    this.#entries.delete(key);
    this.#running.delete(key);
    this.#addresses.giveBack(runner.address);
    // The same pod may have been asked for again while it was leaving.
    this.setPlans([...this.#wanted.values()]);
    this.#onChange();
  }
}

function keyOf({ namespace, name }: PodPlan): string {
  return `${namespace}/${name}`;
}
