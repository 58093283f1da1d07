import type { PodSigner, PodSignerSource } from '../../app/pod-identities.ts';

/** The control plane's signer for pods that are there before it is: until then there is none. */
export class LateSigner implements PodSignerSource {
  readonly #listeners = new Set<() => void>();
  #source: PodSignerSource | undefined;

  current(): PodSigner | undefined {
    return this.#source?.current();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  follow(source: PodSignerSource): void {
    this.#source = source;
    source.onChange(() => this.#tell());
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
