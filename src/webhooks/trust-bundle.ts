import type { Clock } from '../kit/clock.ts';

/** The authorities that whoever calls a webhook must trust, and since when all webhook configurations say so. */
export class TrustBundle {
  readonly #clock: Clock;
  readonly #onChange = new Set<() => void>();
  #pem: string | undefined;
  #everywhereSince: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** PEM; nothing before it is known. */
  get pem(): string | undefined {
    return this.#pem;
  }

  publish(pem: string): void {
    if (this.#pem === pem) return;
    this.#pem = pem;
    this.#everywhereSince = undefined;
    for (const listener of this.#onChange) listener();
  }

  /** Calls `listener` when the authorities changed. Returns how to stop. */
  onChange(listener: () => void): () => void {
    this.#onChange.add(listener);
    return () => this.#onChange.delete(listener);
  }

  /** All configurations carry this bundle, or one of them does not (any more). */
  confirm(pem: string, isEverywhere: boolean): void {
    if (pem !== this.#pem || !isEverywhere) this.#everywhereSince = undefined;
    else this.#everywhereSince ??= this.#clock.monotonic();
  }

  /** For how long all configurations have carried this bundle. */
  everywhereForMs(pem: string): number | undefined {
    if (pem !== this.#pem || this.#everywhereSince === undefined) return undefined;
    return this.#clock.monotonic() - this.#everywhereSince;
  }
}
