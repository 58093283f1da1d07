declare const brand: unique symbol;

/** A primitive that only its own parser can make. `as` is allowed in that parser alone. */
export type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };
