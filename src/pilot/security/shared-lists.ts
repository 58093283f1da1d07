type Step<Item extends object, Out> = { readonly next: WeakMap<Item, Step<Item, Out>>; output: Out | undefined };

/** What is made of a list: the same for every list of the same objects in the same order. It goes when one of them goes. */
export class SharedLists<Item extends object, Out> {
  readonly #first: Step<Item, Out> = { next: new WeakMap(), output: undefined };
  readonly #build: (items: readonly Item[]) => Out;

  constructor(build: (items: readonly Item[]) => Out) {
    this.#build = build;
  }

  get(items: readonly Item[]): Out {
    let step = this.#first;
    for (const item of items) step = stepBehind(step, item);
    step.output ??= this.#build(items);
    return step.output;
  }
}

function stepBehind<Item extends object, Out>(step: Step<Item, Out>, item: Item): Step<Item, Out> {
  const known = step.next.get(item);
  if (known !== undefined) return known;
  const made: Step<Item, Out> = { next: new WeakMap(), output: undefined };
  step.next.set(item, made);
  return made;
}
