import type { z } from 'zod';

/** `T` all the way down without a way to change it. */
export type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

/** What a schema's parsed value is, as the rest of xebec sees it. */
export type Spec<Schema extends z.ZodType> = DeepReadonly<z.infer<Schema>>;

/** `T` with some members that always have a value. */
export type Completed<T, Key extends keyof T> = Omit<T, Key> & {
  readonly [Member in Key]-?: NonNullable<T[Member]>;
};
