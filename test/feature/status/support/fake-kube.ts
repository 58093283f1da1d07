import { err, ok } from '../../../../src/kit/result.ts';
import type {
  ApplyOptions,
  EventNote,
  EventSubject,
  KubeError,
  KubeObject,
  KubeResult,
  Leadership,
  ResourceType,
} from '../../../../src/kube/api.ts';

export type Apply = {
  readonly type: ResourceType;
  readonly object: KubeObject;
  readonly options: ApplyOptions;
  readonly at: number;
};

/** The API server as far as statuses are concerned: takes applies, and gives each object a status and a new resourceVersion. */
export class FakeKube {
  readonly applies: Apply[] = [];
  readonly events: { readonly subject: EventSubject; readonly note: EventNote }[] = [];
  /** Answers instead of the server. */
  refuse: (name: string) => KubeError | undefined = () => undefined;
  /** What becomes of an object that is written. */
  merge: (object: KubeObject) => KubeObject = (object) => object;
  /** Called with each object as it is after a write. */
  onWrite: (object: KubeObject) => void = () => undefined;
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  apply(type: ResourceType, object: KubeObject, options: ApplyOptions): Promise<KubeResult> {
    this.applies.push({ type, object, options, at: this.#now() });
    const error = this.refuse(nameOf(object));
    if (error !== undefined) return Promise.resolve(err(error));
    const { resourceVersion, ...metadata } = object['metadata'] as Record<string, string>;
    const written = this.merge({ ...object, metadata: { ...metadata, resourceVersion: `${resourceVersion}1` } });
    this.onWrite(written);
    return Promise.resolve(ok(written));
  }

  record(subject: EventSubject, note: EventNote): void {
    this.events.push({ subject, note });
  }

  /** The applies of one object. */
  of(name: string): readonly Apply[] {
    return this.applies.filter(({ object }) => nameOf(object) === name);
  }
}

function nameOf({ metadata }: KubeObject): string {
  const { namespace, name } = metadata as Record<string, string>;
  return `${namespace}/${name}`;
}

export class FakeLeadership implements Leadership {
  #term: AbortController | undefined;
  readonly #wanted = new Set<() => void>();

  get isLeader(): boolean {
    return this.#term !== undefined;
  }

  lead(): void {
    this.#term = new AbortController();
    for (const wake of this.#wanted) wake();
  }

  lose(): void {
    this.#term?.abort();
    this.#term = undefined;
  }

  async whileLeading(work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#term !== undefined) await work(AbortSignal.any([signal, this.#term.signal]));
      if (signal.aborted) return;
      await new Promise<void>((resolve) => {
        this.#wanted.add(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }
}

export function refusal(reason: KubeError['reason'], status: number): KubeError {
  return { reason, status, message: `${reason}, says the server`, retryAfterMs: undefined };
}
