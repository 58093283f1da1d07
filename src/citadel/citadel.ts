import { type Runnable, runAll } from '../kit/run-group.ts';
import type { IssuerSource } from './issuer.ts';

export type CitadelDeps = {
  /** Who signs. */
  readonly issuer: IssuerSource;
  /** Why nobody signs, or why what signs is not what its store says. */
  readonly problem: () => string | undefined;
  /** Whether others get identities here. Who gives none knows what signs, for itself. */
  readonly issues: boolean;
  readonly parts: readonly Runnable[];
};

/**
 * Owns identities: the authority of the mesh, and who gets certificates of it.
 * Promises: no certificate outlives its issuer; no root is made where there was one; no key leaves but to its owner.
 * Must never know what a certificate is used for.
 */
export class Citadel implements Runnable {
  readonly name = 'citadel';
  readonly #deps: CitadelDeps;

  constructor(deps: CitadelDeps) {
    this.#deps = deps;
  }

  get issuer(): IssuerSource {
    return this.#deps.issuer;
  }

  get issues(): boolean {
    return this.#deps.issues;
  }

  /** Nothing while all is well. */
  problem(): string | undefined {
    return this.#deps.problem();
  }

  async run(signal: AbortSignal): Promise<void> {
    const rest: Runnable = { name: 'citadel', run: (stop) => aborted(stop) };
    await runAll([rest, ...this.#deps.parts], signal);
  }
}

/** Parts may be none, and a group of none would end at once. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
