type Node<Out> = { readonly next: WeakMap<object, Node<Out>>; readonly made: Map<string, Out> };

/**
 * Remembers what was made of a row of objects, so that equal rows get the same object. Objects are equal if they are the same; what was
 * made goes with the first of them that goes.
 */
export class RowMemo<Out> {
  readonly #root: Node<Out> = makeNode();

  /** `text` stands for whatever else the outcome depends on. */
  get(row: readonly object[], text: string, make: () => Out): Out {
    let node = this.#root;
    for (const object of row) {
      const known = node.next.get(object);
      const next = known ?? makeNode<Out>();
      if (known === undefined) node.next.set(object, next);
      node = next;
    }
    const known = node.made.get(text);
    if (known !== undefined) return known;
    const made = make();
    node.made.set(text, made);
    return made;
  }
}

function makeNode<Out>(): Node<Out> {
  return { next: new WeakMap(), made: new Map() };
}
