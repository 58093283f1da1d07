import type { ConfigSnapshot } from '../../model/config-snapshot.ts';
import type { KeyBook } from '../../model/mesh-security.ts';
import type { ConfigObject } from '../../model/object.ts';
import { neededBy, type TokenKind } from './needed-keys.ts';

/**
 * Lets an object about tokens count only when its keys were fetched, or could not be: else every token would be refused for as long
 * as fetching takes, although all is well. Until then its version before counts, if there was one. A new classic policy counts at once: it
 * also says who needs a token, and who comes without must not get in meanwhile. One gate, one line of configurations.
 */
export class KeyGate {
  readonly #lists: { readonly [K in TokenKind]: Passing<K> } = {
    RequestAuthentication: new Passing<'RequestAuthentication'>('waits'),
    Policy: new Passing<'Policy'>('counts'),
    MeshPolicy: new Passing<'MeshPolicy'>('counts'),
  };

  /** The same snapshot where nothing waits. */
  pass(config: ConfigSnapshot, book: KeyBook): ConfigSnapshot {
    const { objects } = config;
    const passed = {
      RequestAuthentication: this.#lists.RequestAuthentication.pass(objects.RequestAuthentication, book),
      Policy: this.#lists.Policy.pass(objects.Policy, book),
      MeshPolicy: this.#lists.MeshPolicy.pass(objects.MeshPolicy, book),
    };
    const isWhole =
      passed.RequestAuthentication === objects.RequestAuthentication &&
      passed.Policy === objects.Policy &&
      passed.MeshPolicy === objects.MeshPolicy;
    return isWhole ? config : withObjects(config, passed);
  }
}

function withObjects(config: ConfigSnapshot, passed: Partial<ConfigSnapshot['objects']>): ConfigSnapshot {
  return { ...config, objects: { ...config.objects, ...passed } };
}

type Objects<K extends TokenKind> = readonly ConfigObject<K>[];

class Passing<K extends TokenKind> {
  readonly #whatIsNew: 'waits' | 'counts';
  #counting = new Map<string, ConfigObject<K>>();
  #kept: Objects<K> = [];

  /** `whatIsNew`: what becomes of an object that has no version before. */
  constructor(whatIsNew: 'waits' | 'counts') {
    this.#whatIsNew = whatIsNew;
  }

  pass(objects: Objects<K>, book: KeyBook): Objects<K> {
    const passed = objects.flatMap((object) => this.#countingFor(object, book) ?? []);
    this.#counting = new Map(passed.map((object) => [object.key, object]));
    const isSame = (list: Objects<K>): boolean =>
      list.length === passed.length && list.every((object, index) => object === passed[index]);
    this.#kept = isSame(objects) ? objects : isSame(this.#kept) ? this.#kept : passed;
    return this.#kept;
  }

  #countingFor(object: ConfigObject<K>, book: KeyBook): ConfigObject<K> | undefined {
    const isAnswered = neededBy(object).every(({ address }) => book.has(address));
    if (isAnswered) return object;
    return this.#counting.get(object.key) ?? (this.#whatIsNew === 'counts' ? object : undefined);
  }
}
