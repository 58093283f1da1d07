import { sameFields } from '../../kit/memo.ts';

type Entry<Inputs, Out> = { readonly inputs: Inputs; readonly output: Out };

/**
 * Remembers outputs below an anchor object (a service, a virtual service): they go when the anchor goes, so nothing needs to be
 * swept. The sub-key tells apart what one anchor is asked for at the same time; the inputs decide whether an entry still holds.
 */
export class IdentityMemo<Anchor extends object, Inputs extends Readonly<Record<string, unknown>>, Out> {
  readonly #build: (inputs: Inputs) => Out;
  readonly #entries = new WeakMap<Anchor, Map<string, Entry<Inputs, Out>>>();

  constructor(build: (inputs: Inputs) => Out) {
    this.#build = build;
  }

  get(anchor: Anchor, subKey: string, inputs: Inputs): Out {
    const entries = this.#entriesOf(anchor);
    const known = entries.get(subKey);
    if (known !== undefined && sameFields(known.inputs, inputs)) return known.output;
    const output = this.#build(inputs);
    entries.set(subKey, { inputs, output });
    return output;
  }

  #entriesOf(anchor: Anchor): Map<string, Entry<Inputs, Out>> {
    const known = this.#entries.get(anchor);
    if (known !== undefined) return known;
    const entries = new Map<string, Entry<Inputs, Out>>();
    this.#entries.set(anchor, entries);
    return entries;
  }
}
