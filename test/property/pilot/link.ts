import { defaultLimits } from '../../../src/xds/limits.ts';
import { NamePool } from '../../../src/xds/name-pool.ts';
import type { SnapshotHandle, XdsSnapshot } from '../../../src/xds/ports.ts';
import { decodeDeltaRequest, decodeSotwRequest } from '../../../src/xds/request.ts';
import type { EncodedResource } from '../../../src/xds/resource.ts';
import { ServedSets } from '../../../src/xds/served-set.ts';
import { AdsSession } from '../../../src/xds/session.ts';
import type { Verdicts } from '../../../src/xds/verdicts.ts';
import { type Kind, urls } from '../../feature/pilot/support/contents.ts';
import type { ModelEnvoy } from '../../feature/pilot/support/model-envoy.ts';

type View = { readonly current: () => XdsSnapshot; readonly missing: NonNullable<SnapshotHandle['missing']> };

const HOLD_MS = 10_000;
/** For how long what nobody has is waited for. */
export const GRACE_MS = 5_000;

/** A session and a model Envoy with two queues between them, moved step by step, so that a test decides every interleaving. */
export class Link {
  readonly client: ModelEnvoy;
  readonly session: AdsSession;
  readonly overdue: string[] = [];
  now = 0;
  /** Whether the view ever named a cluster that it lacked: only time ends the wait for one. */
  wasDangling = false;
  readonly #view: View;
  readonly #toServer: Buffer[] = [];
  readonly #toClient: Buffer[] = [];
  /** Clusters that routes name though nobody has them, and that the client has not got since they came. */
  readonly #dangling = new Set<string>();

  constructor(client: ModelEnvoy, view: View, verdicts: Verdicts) {
    this.client = client;
    this.#view = view;
    const nothing = (): void => undefined;
    this.session = new AdsSession({
      proxy: client.id,
      protocol: client.protocol,
      handle: { ...view, close: nothing },
      names: new NamePool(),
      served: new ServedSets(),
      verdicts,
      events: {
        acked: nothing,
        nacked: (_, error) => {
          throw new Error(error);
        },
        convicted: nothing,
        stale: nothing,
        overdue: ({ typeUrl }) => this.overdue.push(typeUrl),
      },
      settings: { limits: defaultLimits, holdMs: HOLD_MS, graceMs: GRACE_MS, splitBytes: 1_000_000 },
      noncePrefix: 'n',
      unfinished: new Set(),
    });
    this.#toServer.push(...client.start());
  }

  stepRequest(): boolean {
    const bytes = this.#toServer.shift();
    if (bytes === undefined) return false;
    const status = this.#serve(bytes);
    if (status !== undefined) throw new Error(status.message);
    return true;
  }

  stepServer(): boolean {
    const message = this.session.next(this.now)?.message;
    if (message === undefined) return false;
    const bytes = Buffer.alloc(message.byteLength);
    message.copy(bytes, 0);
    this.#toClient.push(bytes);
    return true;
  }

  stepClient(): boolean {
    const bytes = this.#toClient.shift();
    if (bytes === undefined) return false;
    this.#toServer.push(...this.client.onResponse(bytes));
    return true;
  }

  /** Until neither side has anything to do. */
  settle(onStep: () => void): void {
    for (let steps = 0; this.stepRequest() || this.stepServer() || this.stepClient(); steps += 1) {
      onStep();
      if (steps > 10_000) throw new Error('client and server never come to rest');
    }
  }

  /** To be called whenever the view may be another. */
  noteDangling(): void {
    const clusters = this.#resources('cluster');
    const users = [...this.#resources('listener').values(), ...this.#resources('route').values()];
    for (const { typeUrl, name } of users.flatMap(({ needs }) => needs)) {
      if (typeUrl === urls.cluster && !clusters.has(name)) this.#dangling.add(name);
    }
    this.wasDangling ||= this.#dangling.size > 0;
  }

  /** What the client has at this moment that does not work, though it could. */
  broken(): readonly string[] {
    for (const name of this.#dangling) {
      if (this.#resources('cluster').has(name) && this.client.isActive(name)) this.#dangling.delete(name);
    }
    return this.client.brokenReferences((cluster) => !this.#dangling.has(cluster));
  }

  #resources(kind: Kind): ReadonlyMap<string, EncodedResource> {
    return this.#view.current().get(urls[kind])?.resources ?? new Map();
  }

  #serve(bytes: Buffer): { readonly message: string } | undefined {
    if (this.client.protocol === 'delta') {
      const decoded = decodeDeltaRequest(bytes, defaultLimits);
      return decoded.ok ? this.session.onRequest({ kind: 'delta', request: decoded.value }) : decoded.error;
    }
    const decoded = decodeSotwRequest(bytes, defaultLimits);
    return decoded.ok ? this.session.onRequest({ kind: 'sotw', request: decoded.value }) : decoded.error;
  }
}
