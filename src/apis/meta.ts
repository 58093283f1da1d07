/** What validation reads of an object's metadata. The model's ObjectMeta fits. */
export type MetaForValidation = {
  readonly namespace: string;
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>>;
};
