export const CLAIMS = '@request.auth.claims';

/**
 * The place of a claim that a header match of this name means: `@request.auth.claims.a.b` and `@request.auth.claims[a][b]` are both the
 * claim b in the claim a; the second form is for names that have dots. Undefined for headers, and for what only looks like a claim.
 */
export function parseClaimName(name: string): readonly string[] | undefined {
  if (!name.toLowerCase().startsWith(CLAIMS)) return undefined;
  const rest = name.slice(CLAIMS.length);
  const dotted = /^\.(.+)$/.exec(rest)?.[1]?.split('.');
  const steps = dotted ?? /^\[(.+)\]$/.exec(rest)?.[1]?.split('][');
  return steps?.every((step) => step !== '') === true ? steps : undefined;
}
