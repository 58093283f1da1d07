import type { Runnable } from '../../../kit/run-group.ts';
import { nameOf } from '../../../kube/json.ts';
import type { Reflect } from '../../../kube/reflection.ts';
import { type Definition, definitionType, narrowDefinition } from './definitions.ts';

/** The definitions of the wanted kinds, as the cluster has them now. */
export class DefinitionIndex implements Runnable {
  readonly name = 'definitions';
  readonly #wanted: ReadonlySet<string>;
  readonly #reflect: Reflect;
  readonly #changed: () => void;
  readonly #definitions = new Map<string, Definition>();
  #knowledge: 'none' | 'complete' | 'forbidden' = 'none';
  #trouble = '';

  constructor(deps: { readonly wanted: ReadonlySet<string>; readonly reflect: Reflect; readonly changed: () => void }) {
    this.#wanted = deps.wanted;
    this.#reflect = deps.reflect;
    this.#changed = deps.changed;
  }

  /** `none` before the first list; `forbidden`: nothing is known, nor will be. */
  get knowledge(): 'none' | 'complete' | 'forbidden' {
    return this.#knowledge;
  }

  /** Why they cannot be read, where that is so. */
  get trouble(): string {
    return this.#trouble;
  }

  get(name: string): Definition | undefined {
    return this.#definitions.get(name);
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#reflect<Definition>({
      type: definitionType,
      namespace: '',
      selectors: {},
      project: (object) => narrowDefinition(object, this.#wanted),
      keyOf: (object) => nameOf(object).name,
      onChange: ({ upserts, deletes }) => {
        for (const definition of upserts) this.#definitions.set(definition.name, definition);
        for (const name of deletes) this.#definitions.delete(name);
        this.#changed();
      },
      onSynced: () => this.#learn('complete'),
      onState: (state) => {
        this.#trouble = 'message' in state ? state.message : '';
        if (state.kind === 'forbidden' && this.#knowledge === 'none') this.#learn('forbidden');
      },
    }).run(signal);
  }

  #learn(knowledge: 'complete' | 'forbidden'): void {
    this.#knowledge = knowledge;
    this.#changed();
  }
}
