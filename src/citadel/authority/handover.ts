import type { X509Certificate } from 'node:crypto';
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { nameOf } from './chain.ts';
import type { Held } from './choose.ts';
import { chainEnd } from './material.ts';
import { endOf, isIn } from './pem.ts';

type Pending = { readonly to: Held; readonly since: number; readonly waitMs: number };

/**
 * What signs now, and what is to sign next. Under a root that nobody was told of, nothing is signed: it is first trusted beside the
 * old one, for as long as an own root is announced.
 */
export class Handover {
  readonly #clock: Clock;
  readonly #announceMs: number;
  readonly #log: Logger;
  #held: Held | undefined;
  #pending: Pending | undefined;

  constructor(clock: Clock, announceMs: number, log: Logger) {
    this.#clock = clock;
    this.#announceMs = announceMs;
    this.#log = log;
  }

  get held(): Held | undefined {
    return this.#held;
  }

  /** Of what is to sign next. */
  get nextRoots(): readonly X509Certificate[] {
    return this.#pending?.to.material.roots ?? [];
  }

  take(to: Held): void {
    const held = this.#held;
    const root = to.material.chain.at(-1);
    if (held === undefined || root === undefined || isIn(root, held.material.roots) || this.#isAnnounced(to, held))
      this.#adopt(to);
  }

  #isAnnounced(to: Held, held: Held): boolean {
    const now = this.#clock.monotonic();
    const isKnown = this.#pending !== undefined && isSameSigner(this.#pending.to, to);
    if (!isKnown) this.#log.info(describe(to), 'authority announced');
    const left = chainEnd(held.material.chain) - this.#clock.now();
    this.#pending =
      this.#pending !== undefined && isKnown
        ? { ...this.#pending, to }
        : { to, since: now, waitMs: Math.min(this.#announceMs, left / 2) };
    return now >= this.#pending.since + this.#pending.waitMs;
  }

  #adopt(to: Held): void {
    const isNew = this.#held === undefined || this.#held.name !== to.name || !isSameSigner(this.#held, to);
    this.#held = to;
    this.#pending = undefined;
    if (isNew) this.#log.info(describe(to), 'authority signs');
  }
}

function isSameSigner(a: Held, b: Held): boolean {
  return a.material.chain[0].fingerprint256 === b.material.chain[0].fingerprint256;
}

function describe({ name, material }: Held): Readonly<Record<string, unknown>> {
  const [signer] = material.chain;
  return {
    source: name,
    signer: nameOf(signer),
    notAfter: new Date(endOf(signer)).toISOString(),
    roots: material.roots.length,
  };
}
