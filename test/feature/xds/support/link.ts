import { defaultLimits } from '../../../../src/xds/limits.ts';
import { NamePool } from '../../../../src/xds/name-pool.ts';
import { decodeDeltaRequest, decodeSotwRequest } from '../../../../src/xds/request.ts';
import type { Message } from '../../../../src/xds/response.ts';
import { ServedSets } from '../../../../src/xds/served-set.ts';
import { AdsSession, type SessionEvents } from '../../../../src/xds/session.ts';
import type { Verdicts } from '../../../../src/xds/verdicts.ts';
import type { ModelClient } from './model-client.ts';
import type { World } from './world.ts';

export type LinkOptions = {
  readonly unfinished?: ReadonlySet<string>;
  readonly splitBytes?: number;
  readonly events?: Partial<SessionEvents>;
};

/** How long a session waits for its client. */
export const HOLD_MS = 10_000;
/** How long it waits for what nobody has. */
const GRACE_MS = 5_000;

/** A session and a model client with two queues between them, moved step by step, so that a test decides every interleaving. */
export class Link {
  readonly session: AdsSession;
  readonly client: ModelClient;
  readonly overdue: string[] = [];
  now = 0;
  readonly #toServer: Buffer[] = [];
  readonly #toClient: Buffer[] = [];

  constructor(
    world: World,
    client: ModelClient,
    verdicts: Verdicts,
    { unfinished = new Set(), splitBytes = 1_000_000, events = {} }: LinkOptions = {},
  ) {
    this.client = client;
    const nothing = (): void => undefined;
    this.session = new AdsSession({
      proxy: 'proxy',
      protocol: client.protocol,
      handle: { current: () => world.snapshot(), close: nothing },
      names: new NamePool(),
      served: new ServedSets(),
      verdicts,
      events: {
        acked: nothing,
        nacked: nothing,
        convicted: nothing,
        stale: nothing,
        overdue: ({ typeUrl }) => this.overdue.push(typeUrl),
        ...events,
      },
      settings: { limits: defaultLimits, holdMs: HOLD_MS, graceMs: GRACE_MS, splitBytes },
      noncePrefix: 'n',
      unfinished,
    });
    this.#toServer.push(...client.start());
  }

  /** The server reads one request. */
  stepRequest(): boolean {
    const bytes = this.#toServer.shift();
    if (bytes === undefined) return false;
    const status = this.#decodeAndServe(bytes);
    if (status !== undefined) throw new Error(status.message);
    return true;
  }

  /** The server makes one response. */
  stepServer(): boolean {
    const outgoing = this.session.next(this.now);
    if (outgoing !== undefined) this.#toClient.push(bytesOf(outgoing.message));
    return outgoing !== undefined;
  }

  /** The client reads one response. */
  stepClient(): boolean {
    const bytes = this.#toClient.shift();
    if (bytes === undefined) return false;
    this.#toServer.push(...this.client.onResponse(bytes));
    return true;
  }

  /** Until neither side has anything to do. */
  settle(onStep: () => void = () => undefined): void {
    for (let steps = 0; this.stepRequest() || this.stepServer() || this.stepClient(); steps += 1) {
      onStep();
      if (steps > 100_000) throw new Error('client and server never come to rest');
    }
  }

  #decodeAndServe(bytes: Buffer): { readonly message: string } | undefined {
    if (this.client.protocol === 'delta') {
      const decoded = decodeDeltaRequest(bytes, defaultLimits);
      return decoded.ok ? this.session.onRequest({ kind: 'delta', request: decoded.value }) : decoded.error;
    }
    const decoded = decodeSotwRequest(bytes, defaultLimits);
    return decoded.ok ? this.session.onRequest({ kind: 'sotw', request: decoded.value }) : decoded.error;
  }
}

function bytesOf(message: Message): Buffer {
  const bytes = Buffer.alloc(message.byteLength);
  message.copy(bytes, 0);
  return bytes;
}
