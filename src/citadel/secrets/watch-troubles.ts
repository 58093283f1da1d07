import type { ReflectionState } from '../../kube/reflection.ts';
import type { Logger } from '../../telemetry/logger.ts';

/** Resources that may not be watched: each told once, for as long as it lasts. */
export class WatchTroubles {
  readonly #log: Logger;
  readonly #consequence: string;
  readonly #open = new Set<string>();

  constructor(log: Logger, consequence: string) {
    this.#log = log;
    this.#consequence = consequence;
  }

  judge(resource: string, state: ReflectionState): void {
    if (state.kind !== 'forbidden') {
      this.#open.delete(resource);
      return;
    }
    if (this.#open.has(resource)) return;
    this.#open.add(resource);
    const remedy = `allow the service account to list and watch ${resource}`;
    this.#log.warn({ resource, reason: state.message, remedy }, this.#consequence);
  }
}
