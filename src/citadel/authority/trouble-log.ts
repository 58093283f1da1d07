import type { Logger } from '../../telemetry/logger.ts';
import type { Trouble } from './store.ts';

/** What is wrong now: told once, and once when it is over. */
export class TroubleLog {
  readonly #log: Logger;
  #troubles: readonly Trouble[] = [];

  constructor(log: Logger) {
    this.#log = log;
  }

  /** All that is wrong, as one text; nothing while all is well. */
  get text(): string | undefined {
    if (this.#troubles.length === 0) return undefined;
    return this.#troubles.map(({ reason, remedy }) => `${reason} (remedy: ${remedy})`).join('; ');
  }

  set(troubles: readonly Trouble[], isSigning: boolean): void {
    const before = this.#troubles;
    this.#troubles = troubles;
    for (const { reason, remedy } of troubles) {
      if (before.some((known) => known.reason === reason)) continue;
      this.#log.warn({ reason, remedy, isSigning }, 'authority is degraded');
    }
    if (before.length > 0 && troubles.length === 0) this.#log.info({}, 'authority is in order again');
  }
}
