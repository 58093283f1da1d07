/**
 * Tells every namespace the roots of the mesh, in a ConfigMap that pods mount, and puts it right when it was changed or deleted.
 * Promises that only the leader writes, and that what is right is not written. Must never know any key.
 */
import type { Clock } from '../../kit/clock.ts';
import { type Runnable, runAll } from '../../kit/run-group.ts';
import { Turn } from '../../kit/turn.ts';
import { type WorkOutcome, WorkQueue } from '../../kit/work-queue.ts';
import type { KubeApi, KubeError, KubeResult, Leadership } from '../../kube/api.ts';
import { backoffMs } from '../../kube/backoff.ts';
import type { Reflect } from '../../kube/reflection.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Counter, Metrics } from '../../telemetry/metrics.ts';
import type { IssuerSource } from '../issuer.ts';
import { Breaker } from '../secrets/breaker.ts';
import type { NamespaceRules } from '../secrets/namespaces.ts';
import { WritePace } from '../secrets/write-pace.ts';
import {
  buildConfigMap,
  configMapType,
  type Publication,
  type PublishedRoot,
  publications,
  readPublished,
  saysRoots,
} from './published-root.ts';
import { RootCopies } from './root-copies.ts';

export type RootPublisherDeps = {
  readonly kube: Pick<KubeApi, 'create' | 'apply' | 'delete'>;
  readonly reflect: Reflect;
  readonly leadership: Pick<Leadership, 'whileLeading'>;
  readonly issuers: IssuerSource;
  readonly rules: NamespaceRules;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics: Metrics;
};

const CONCURRENCY = 16;
const FIELD_MANAGER = 'xebec-citadel';
const retryTimes = { firstMs: 250, maxMs: 120_000 };
const done: WorkOutcome = { kind: 'done' };
const failed: WorkOutcome = { kind: 'failed' };

export class RootPublisher implements Runnable {
  readonly name = 'root publisher';
  readonly #deps: RootPublisherDeps;
  readonly #written: Counter;

  constructor(deps: RootPublisherDeps) {
    this.#deps = deps;
    this.#written = deps.metrics.counter({
      name: 'xebec_citadel_root_config_maps_written_total',
      help: 'ConfigMaps with the roots of the mesh that were written.',
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const work = (stop: AbortSignal): Promise<void> => new Term(this.#deps, () => this.#written.add()).run(stop);
    await this.#deps.leadership.whileLeading(work, signal);
  }
}

/** One ConfigMap of one namespace. */
type Task = { readonly publication: Publication; readonly namespace: string; readonly roots: string };

/** One time of leading. */
class Term {
  readonly #deps: RootPublisherDeps;
  readonly #onWritten: () => void;
  readonly #copies: RootCopies;
  readonly #queue: WorkQueue<string>;
  readonly #breaker: Breaker;
  readonly #pace: WritePace;
  readonly #publications: readonly Publication[];
  /** What failed last, by key. */
  readonly #troubles = new Map<string, string>();

  constructor(deps: RootPublisherDeps, onWritten: () => void) {
    const { clock, random, log, rules } = deps;
    const turn = new Turn(clock);
    this.#deps = deps;
    this.#onWritten = onWritten;
    this.#publications = publications(rules.ownNamespace);
    this.#breaker = new Breaker(clock, random, log);
    this.#pace = new WritePace(clock);
    this.#copies = new RootCopies({
      reflect: deps.reflect,
      publications: this.#publications,
      listened: rules.listened,
      ownNamespace: rules.ownNamespace,
      touch: (key) => this.#queue.add(key),
      log,
    });
    this.#queue = new WorkQueue({
      name: 'reconciler of roots',
      clock,
      concurrency: CONCURRENCY,
      work: async (key, signal) => {
        await turn.share();
        return await this.#reconcile(key, signal);
      },
      onThrow: (key, error) => log.error({ configMap: key, error }, 'roots could not be looked at; it is tried again'),
      pauseMs: (failures) => backoffMs(failures, retryTimes, random),
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const reflections = this.#copies.reflections();
    const stopListening = this.#deps.issuers.onChange(() => this.#copies.touchAll());
    try {
      await runAll([...reflections, this.#queue], signal);
    } finally {
      stopListening();
    }
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<WorkOutcome> {
    const waitMs = Math.max(this.#breaker.waitMs, this.#pace.waitMs(key));
    if (waitMs > 0) return { kind: 'again', afterMs: waitMs };
    const [namespace = '', name = ''] = key.split('/');
    const publication = this.#publications.find((each) => each.name === name);
    const facts = this.#copies.namespaces.get(namespace);
    const roots = this.#deps.issuers.current()?.roots;
    if (publication === undefined || facts === undefined || roots === undefined) return done;
    if (!publication.isWanted(facts, this.#deps.rules)) return this.#over(key);
    const published = this.#copies.published(key);
    if (published !== undefined && saysRoots(published, publication, roots)) {
      this.#pace.rested(key);
      return this.#over(key);
    }
    return await this.#write(key, { publication, namespace, roots }, { published, signal });
  }

  async #write(
    key: string,
    task: Task,
    { published, signal }: { readonly published: PublishedRoot | undefined; readonly signal: AbortSignal },
  ): Promise<WorkOutcome> {
    const { publication, namespace, roots } = task;
    const written = await this.#store(task, published, signal);
    if (signal.aborted) return done;
    if (!written.ok) return this.#onRefused(key, written.error);
    this.#breaker.answered();
    const now = readPublished(written.value, publication);
    this.#copies.take(key, now);
    this.#onWritten();
    this.#pace.repaired(key);
    const why = published === undefined ? 'it was missing' : 'it said something else';
    this.#deps.log.debug({ namespace, name: publication.name, why }, 'roots written');
    if (saysRoots(now, publication, roots)) return this.#over(key);
    this.#tell(key, 'it is changed as it is written');
    return failed;
  }

  async #store(
    { publication, namespace, roots }: Task,
    published: PublishedRoot | undefined,
    signal: AbortSignal,
  ): Promise<KubeResult> {
    const { kube } = this.#deps;
    const object = buildConfigMap(publication, { namespace, roots, over: published });
    if (published === undefined) return await kube.create(configMapType, object, signal);
    if (!published.isImmutable)
      return await kube.apply(configMapType, object, { fieldManager: FIELD_MANAGER, force: true }, signal);
    const only = { uid: published.uid, resourceVersion: published.version };
    const deleted = await kube.delete(configMapType, { namespace, name: publication.name }, signal, only);
    if (!deleted.ok) return deleted;
    const fresh = buildConfigMap(publication, { namespace, roots, over: undefined });
    return await kube.create(configMapType, fresh, signal);
  }

  #onRefused(key: string, error: KubeError): WorkOutcome {
    if (this.#breaker.failed(error)) return { kind: 'again', afterMs: this.#breaker.waitMs };
    // Somebody was faster: the watch tells what there is now.
    if (!['conflict', 'already-exists', 'not-found'].includes(error.reason)) this.#tell(key, error.message);
    return failed;
  }

  #tell(configMap: string, reason: string): void {
    if (this.#troubles.get(configMap) === reason) return;
    this.#troubles.set(configMap, reason);
    const remedy = 'remove what refuses or changes it; it is tried again';
    this.#deps.log.warn({ configMap, reason, remedy }, 'roots cannot be told to a namespace');
  }

  #over(configMap: string): WorkOutcome {
    if (this.#troubles.delete(configMap)) this.#deps.log.info({ configMap }, 'roots can be told to a namespace again');
    return done;
  }
}
