import { createHash } from 'node:crypto';

export type RenewalRules = {
  /** Which share of its lifetime a certificate has left when it is renewed. */
  readonly graceRatio: number;
  /** At least so long before its end. */
  readonly minGraceMs: number;
};

export type Life = { readonly notBefore: number; readonly notAfter: number };

/** However long the grace, a new certificate is used for a while. */
const MAX_GRACE = 0.8;
/** Over so much of a lifetime the renewals of certificates of one age are spread. */
const SPREAD = 0.1;

/** When a certificate is to be renewed: always the same for one account, and another for others, who do not all come at once. */
export function renewAt({ notBefore, notAfter }: Life, { graceRatio, minGraceMs }: RenewalRules, key: string): number {
  const life = notAfter - notBefore;
  const grace = Math.min(Math.max(life * graceRatio, minGraceMs), life * MAX_GRACE);
  return notAfter - grace - life * SPREAD * shareOf(key);
}

/** From 0 up to 1. */
function shareOf(key: string): number {
  return createHash('sha256').update(key).digest().readUInt32BE(0) / 2 ** 32;
}
