import { err, ok } from '../../kit/result.ts';
import type { Runnable } from '../../kit/run-group.ts';
import type {
  KubeApi,
  KubeErrorReason,
  KubeObject,
  KubeResult,
  ObjectName,
  ObjectVersion,
  ResourceType,
} from '../../kube/api.ts';
import { asRecord, nameOf, resourceVersionOf, textIn } from '../../kube/json.ts';
import type { Reflect, Reflection } from '../../kube/reflection.ts';

type Change = {
  readonly plural: string;
  readonly before: KubeObject | undefined;
  readonly after: KubeObject | undefined;
};
type Call = { readonly verb: string; readonly plural: string; readonly name: ObjectName };

/** What a watch has not told yet. */
type Feed = { readonly take: (change: Change) => void };

/**
 * The objects of an API server in memory: versions, locks, selectors, and watches that tell late. Only as true as the tests of
 * Citadel need; what can be tested on a real API server is tested there.
 */
export class MemoryKube implements Pick<KubeApi, 'get' | 'create' | 'update' | 'apply' | 'delete'> {
  readonly #objects = new Map<string, KubeObject>();
  readonly #feeds = new Set<Feed>();
  #version = 100;
  /** What was asked, reads included. */
  calls = 0;
  /** What was written by those who call: `create secrets shop/istio.web`. */
  readonly writes: string[] = [];
  /** What is refused; asked before each call. */
  refuse: (call: Call) => KubeErrorReason | undefined = () => undefined;
  /** What becomes of an object on its way to the store, as a webhook has it. */
  mutate: (object: KubeObject) => KubeObject = (object) => object;
  /** Keeps watches from telling anything until it is false again, and `release` was called. */
  isHeld = false;

  /** As somebody else writes it. */
  put(plural: string, object: KubeObject): KubeObject {
    const key = keyOf(plural, nameOf(object));
    const before = this.#objects.get(key);
    const uid = textIn(asRecord(before?.['metadata']), 'uid') || `uid-${(this.#version += 1)}`;
    this.#version += 1;
    const metadata = { uid, ...asRecord(object['metadata']), resourceVersion: String(this.#version) };
    const after = structuredClone({ ...object, metadata });
    this.#objects.set(key, after);
    for (const feed of this.#feeds) feed.take({ plural, before, after });
    return after;
  }

  /** As somebody else deletes it. */
  remove(plural: string, name: ObjectName): void {
    const before = this.#objects.get(keyOf(plural, name));
    if (before === undefined) return;
    this.#objects.delete(keyOf(plural, name));
    this.#version += 1;
    for (const feed of this.#feeds) feed.take({ plural, before, after: undefined });
  }

  find(plural: string, namespace: string, name: string): KubeObject | undefined {
    return this.#objects.get(keyOf(plural, { namespace, name }));
  }

  list(plural: string): readonly KubeObject[] {
    return [...this.#objects].flatMap(([key, object]) => (key.startsWith(`${plural} `) ? [object] : []));
  }

  get(type: ResourceType, name: ObjectName): Promise<KubeResult> {
    return this.#call({ verb: 'get', plural: type.plural, name }, (known) =>
      known === undefined ? refused('not-found') : ok(known),
    );
  }

  create(type: ResourceType, object: KubeObject): Promise<KubeResult> {
    return this.#call({ verb: 'create', plural: type.plural, name: nameOf(object) }, (known) => {
      if (known !== undefined) return refused('already-exists');
      return ok(this.put(type.plural, this.mutate(object)));
    });
  }

  update(type: ResourceType, object: KubeObject): Promise<KubeResult> {
    return this.#call({ verb: 'update', plural: type.plural, name: nameOf(object) }, (known) => {
      if (known === undefined) return refused('not-found');
      if (resourceVersionOf(object) !== resourceVersionOf(known)) return refused('conflict');
      if (known['immutable'] === true || known['type'] !== object['type']) return refused('invalid');
      return ok(this.put(type.plural, this.mutate(object)));
    });
  }

  apply(type: ResourceType, object: KubeObject): Promise<KubeResult> {
    return this.#call({ verb: 'apply', plural: type.plural, name: nameOf(object) }, (known) => {
      if (known === undefined) return refused('not-found');
      if (resourceVersionOf(object) !== resourceVersionOf(known)) return refused('conflict');
      if (known['immutable'] === true) return refused('invalid');
      const [old, own] = [asRecord(known['metadata']), asRecord(object['metadata'])];
      const metadata = { ...old, ...own, labels: { ...asRecord(old['labels']), ...asRecord(own['labels']) } };
      const data = { ...asRecord(known['data']), ...asRecord(object['data']) };
      return ok(this.put(type.plural, this.mutate({ ...known, metadata, data })));
    });
  }

  async delete(type: ResourceType, name: ObjectName, _: AbortSignal, only?: ObjectVersion): Promise<KubeResult<void>> {
    const result = await this.#call({ verb: 'delete', plural: type.plural, name }, (known) => {
      if (known === undefined) return refused('not-found');
      const { uid, resourceVersion } = asRecord(known['metadata']);
      const isOther = only !== undefined && only.uid !== uid;
      const isLater = only?.resourceVersion !== undefined && only.resourceVersion !== resourceVersion;
      if (isOther || isLater) return refused('conflict');
      this.remove(type.plural, name);
      return ok(known);
    });
    return result.ok ? ok(undefined) : result;
  }

  readonly reflect: Reflect = (reflection) => ({
    name: `copy of ${reflection.type.plural}`,
    run: (signal) => this.#tell(reflection, signal),
  });

  /** Tells what was held. */
  release(): void {
    this.isHeld = false;
    for (const wake of this.#wakes) wake();
  }

  readonly #wakes = new Set<() => void>();

  async #call(call: Call, work: (known: KubeObject | undefined) => KubeResult): Promise<KubeResult> {
    this.calls += 1;
    await turn();
    const reason = this.refuse(call);
    if (reason !== undefined) return refused(reason);
    const result = work(this.#objects.get(keyOf(call.plural, call.name)));
    if (result.ok && call.verb !== 'get')
      this.writes.push(`${call.verb} ${call.plural} ${call.name.namespace}/${call.name.name}`);
    return result;
  }

  async #tell<T>(reflection: Reflection<T>, signal: AbortSignal): Promise<void> {
    const { type, project, keyOf: nameKey } = reflection;
    const told = new Map<string, T | undefined>();
    const pending: Change[] = [];
    const flush = (): void => {
      if (this.isHeld || signal.aborted) return;
      told.clear();
      for (const { before, after } of pending.splice(0)) {
        if (after !== undefined && isSelected(reflection, after)) told.set(nameKey(after), project(after));
        else if (before !== undefined && isSelected(reflection, before)) told.set(nameKey(before), undefined);
      }
      if (told.size === 0) return;
      const upserts = [...told.values()].filter((value) => value !== undefined);
      const deletes = [...told].flatMap(([key, value]) => (value === undefined ? [key] : []));
      reflection.onChange({ upserts, deletes });
    };
    const feed: Feed = {
      take: (change) => {
        if (change.plural !== type.plural) return;
        pending.push(change);
        void turn().then(flush);
      },
    };
    await turn();
    if (signal.aborted) return;
    for (const object of this.list(type.plural))
      pending.push({ plural: type.plural, before: undefined, after: object });
    this.#feeds.add(feed);
    this.#wakes.add(flush);
    flush();
    reflection.onSynced();
    reflection.onState({ kind: 'synced' });
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    this.#feeds.delete(feed);
    this.#wakes.delete(flush);
  }
}

/** Whether a reflection wants an object. */
function isSelected<T>({ namespace, selectors }: Reflection<T>, object: KubeObject): boolean {
  const [field = '', value = ''] = (selectors.fieldSelector ?? '').split('=');
  const own = nameOf(object);
  if (namespace !== '' && own.namespace !== namespace) return false;
  return field === '' || (field === 'metadata.name' ? own.name : textIn(object, field)) === value;
}

function keyOf(plural: string, { namespace, name }: ObjectName): string {
  return `${plural} ${namespace}/${name}`;
}

function refused(reason: KubeErrorReason): KubeResult<never> {
  return err({ reason, status: undefined, message: `refused: ${reason}`, retryAfterMs: undefined });
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Keeps a runnable running, until it is ended. */
export function start(runnable: Runnable): () => Promise<void> {
  const stop = new AbortController();
  const running = runnable.run(stop.signal);
  return async () => {
    stop.abort();
    await running;
  };
}
