import type { z } from 'zod';

/** `T` all the way down without a way to change it. */
export type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

/** What a schema's parsed value is, as the rest of xebec sees it. */
export type Spec<Schema extends z.ZodType> = DeepReadonly<z.infer<Schema>>;
