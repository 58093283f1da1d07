import type { Issuer, IssuerSource } from '../../citadel/issuer.ts';

/** The control plane's issuer for pods that are there before it is: until then there is none. */
export class LateIssuer implements IssuerSource {
  readonly #listeners = new Set<() => void>();
  #source: IssuerSource | undefined;

  current(): Issuer | undefined {
    return this.#source?.current();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  follow(source: IssuerSource): void {
    this.#source = source;
    source.onChange(() => this.#tell());
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
