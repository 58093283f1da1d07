import type { ObjectKey } from '../../model/ids.ts';
import type { NackReport } from '../../xds/ports.ts';
import type { EncodedResource } from '../../xds/resource.ts';

/** Where one proxy is with one object, from the worst. */
export const states = ['refused', 'pending', 'heldBack', 'programmed'] as const;
export type State = (typeof states)[number];

export type Counts = Record<State, number> & { undecided: number };

/** Counts per object, and the refused resources that objects are a part of. */
export class Tally {
  readonly counts = new Map<ObjectKey, Counts>();
  readonly refusals = new Map<ObjectKey, Set<EncodedResource>>();

  add(owner: ObjectKey, state: State | 'undecided', count: number): void {
    const known = this.counts.get(owner) ?? { refused: 0, pending: 0, heldBack: 0, programmed: 0, undecided: 0 };
    known[state] += count;
    this.counts.set(owner, known);
  }

  move(owner: ObjectKey, from: State, { to, count }: { to: State; count: number }): void {
    if (from === to) return;
    this.add(owner, from, -count);
    this.add(owner, to, count);
  }

  refuse(owner: ObjectKey, resource: EncodedResource): void {
    const known = this.refusals.get(owner);
    if (known === undefined) this.refusals.set(owner, new Set([resource]));
    else known.add(resource);
  }
}

/** What is known of one client's trouble: the worst state per object. */
export class Troubles {
  readonly states = new Map<ObjectKey, State>();
  readonly refused = new Set<EncodedResource>();

  note(owner: ObjectKey, state: State): void {
    const known = this.states.get(owner) ?? 'programmed';
    if (states.indexOf(state) < states.indexOf(known)) this.states.set(owner, state);
  }

  stateOf(owner: ObjectKey): State {
    return this.states.get(owner) ?? 'programmed';
  }
}

/** Where the words of the proxy that refused a resource are kept. */
export interface Reports {
  find(resource: EncodedResource): NackReport | undefined;
}
