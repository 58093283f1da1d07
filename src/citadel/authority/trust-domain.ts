/** Where the trust domain comes from: it is known once the mesh is, and may change with it. */
export interface TrustDomainSource {
  current(): string | undefined;
  /** Returns how to stop. */
  onChange(listener: () => void): () => void;
}
