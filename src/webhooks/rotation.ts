import { certificatesIn, inspectPair, type PairLife, type PairRules, type ServingPair } from './serving-pair.ts';
import type { StoredPairs } from './stored-pairs.ts';

/** What is known when it is decided what the Secret should say. */
export type RotationCase = PairRules & {
  /** Nothing without a Secret. */
  readonly stored: StoredPairs | undefined;
  /** The pair that this process serves with, for when the Secret has lost it. */
  readonly held: ServingPair | undefined;
  /** Whether everybody who connects trusts all of a bundle by now. */
  readonly isTrusted: (bundle: string) => boolean;
  readonly issue: () => ServingPair;
  /** Of a pair that is issued. */
  readonly lifetimeMs: number;
};

export type RotationReason = 'created' | 'restored' | 'renewed' | 'staged' | 'promoted';

export type RotationStep = { readonly why: RotationReason; readonly pairs: StoredPairs };

/** A new pair is made when a third of a life is left to the one that serves. */
const RENEW_SHARE = 1 / 3;
/** Who is not told of the new authority by then is not reached any more, and serving an expired pair would help nobody. */
const FORCE_SHARE = 1 / 10;

type Check = (known: RotationCase & { readonly stored: StoredPairs }) => RotationStep | undefined;

/** The next pair serves once everybody trusts its authority, or when the current one cannot. */
const promote: Check = (known) => {
  const { stored, isTrusted } = known;
  const { next, bundle } = stored;
  if (next === undefined || !inspectPair(next, known).ok) return undefined;
  const life = inspectPair(stored.current, known);
  if (life.ok && !isTrusted(bundle) && shareLeft(life.value, known) > FORCE_SHARE) return undefined;
  return { why: 'promoted', pairs: { current: next, next: undefined, bundle } };
};

/** A damaged Secret says again what it said; what cannot be said again is made anew. */
const repair: Check = (known) => {
  const { stored, held, issue } = known;
  if (inspectPair(stored.current, known).ok) return undefined;
  const isHeldGood = held !== undefined && inspectPair(held, known).ok;
  const current = isHeldGood ? held : issue();
  const bundle = bundleOf([current], stored.bundle);
  return { why: isHeldGood ? 'restored' : 'renewed', pairs: { current, next: undefined, bundle } };
};

/** Who connects learns of the next authority before anybody serves by it. */
const stage: Check = (known) => {
  const { stored, issue } = known;
  const life = inspectPair(stored.current, known);
  const isNextGood = stored.next !== undefined && inspectPair(stored.next, known).ok;
  if (!life.ok || isNextGood || shareLeft(life.value, known) > RENEW_SHARE) return undefined;
  const next = issue();
  // Of the authorities from before only the current one still matters.
  return { why: 'staged', pairs: { current: stored.current, next, bundle: bundleOf([stored.current, next], '') } };
};

const checks: readonly Check[] = [promote, repair, stage];

/** What the Secret should say instead of what it says; nothing when it is right. */
export function planRotation(known: RotationCase): RotationStep | undefined {
  const { stored, held, issue } = known;
  if (stored === undefined) {
    const isHeldGood = held !== undefined && inspectPair(held, known).ok;
    const current = isHeldGood ? held : issue();
    return { why: isHeldGood ? 'restored' : 'created', pairs: { current, next: undefined, bundle: current.roots } };
  }
  for (const check of checks) {
    const step = check({ ...known, stored });
    if (step !== undefined) return step;
  }
  return undefined;
}

/** How much of a life a pair has before it. What it says of its beginning is back-dated. */
function shareLeft({ notAfter }: PairLife, { now, lifetimeMs }: RotationCase): number {
  return (notAfter - now) / lifetimeMs;
}

const MOST_AUTHORITIES = 4;

function bundleOf(pairs: readonly ServingPair[], others: string): string {
  const all = [...pairs.flatMap(({ roots }) => certificatesIn(roots)), ...certificatesIn(others)];
  return [...new Set(all)].slice(0, MOST_AUTHORITIES).join('');
}
