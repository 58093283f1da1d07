import type { X509Certificate } from 'node:crypto';
import { BACKDATE_MS } from '../x509/authority.ts';
import type { Material, RootPair } from './material.ts';
import { beginOf, endOf, isIn } from './pem.ts';

export type RotationTimes = {
  /** How long everybody is told of a new root before it signs. */
  readonly announceMs: number;
  /** No leaf lives longer. */
  readonly longestLeafMs: number;
};

/** What is known when it is decided how a self-signed root goes on. */
export type RotationCase = {
  readonly material: Material;
  /** What a person last asked for; another text than the one that was heard is a new request. */
  readonly requested: string;
  readonly now: number;
  readonly times: RotationTimes;
  readonly mint: () => RootPair;
};

export type RotationPhase = 'announced' | 'switched' | 'retired' | 'dated';

export type RotationStep = { readonly phase: RotationPhase; readonly material: Material };

type Check = (known: RotationCase) => RotationStep | undefined;

/** A root is to be replaced when a fifth of its life is left. */
const DUE_SHARE = 0.2;
/** Of many meshes that were made on one day not all should do so in one hour. */
const JITTER_SHARE = 0.05;

/** A rotation whose time nobody knows, as after a restore of half of it, begins its phase anew. */
const date: Check = ({ material, now }) => {
  if (material.since !== undefined || (material.next === undefined && othersOf(material).length === 0))
    return undefined;
  return { phase: 'dated', material: { ...material, since: now } };
};

/** The announced root signs once everybody can have heard of it. The old one stays trusted. */
const switchOver: Check = ({ material, now, times }) => {
  const { next, since = now, chain } = material;
  if (next === undefined) return undefined;
  // A root that ends soon has no time for more.
  const waitMs = Math.min(times.announceMs, (endOf(chain[0]) - since) / 2);
  if (now < since + waitMs) return undefined;
  return {
    phase: 'switched',
    material: { ...material, chain: [next.certificate], key: next.key, next: undefined, since: now },
  };
};

/** A root that signs no more leaves when it has ended, or when nothing can be alive that it signed. */
const retire: Check = ({ material, now, times }) => {
  const { next, since = now, roots } = material;
  const isOver = next === undefined && now >= since + times.longestLeafMs + BACKDATE_MS;
  const gone = othersOf(material).filter((root) => isOver || now >= endOf(root));
  if (gone.length === 0) return undefined;
  const left = { ...material, roots: roots.filter((root) => !gone.includes(root)) };
  const isAtRest = next === undefined && othersOf(left).length === 0;
  return { phase: 'retired', material: { ...left, since: isAtRest ? undefined : since } };
};

const announce: Check = ({ material, requested, now, mint }) => {
  const { next, chain, request } = material;
  const isAsked = requested !== '' && requested !== request;
  if (next !== undefined || (!isAsked && now < dueAt(chain[0]))) return undefined;
  const made = mint();
  const roots = [...material.roots, made.certificate];
  return {
    phase: 'announced',
    material: { ...material, next: made, roots, since: now, request: isAsked ? requested : request },
  };
};

const checks: readonly Check[] = [date, switchOver, retire, announce];

/** What the store should say instead of what it says; nothing while it is right. */
export function planRotation(known: RotationCase): RotationStep | undefined {
  for (const check of checks) {
    const step = check(known);
    if (step !== undefined) return step;
  }
  return undefined;
}

/** Trusted, but of no use to what signs now or next. */
function othersOf({ roots, chain, next }: Material): readonly X509Certificate[] {
  const inUse = next === undefined ? chain : [...chain, next.certificate];
  return roots.filter((root) => !isIn(root, inUse));
}

/** When a root is to be replaced. The same for whoever asks, and different for each root. */
export function dueAt(root: X509Certificate): number {
  const fraction = Number.parseInt(root.fingerprint256.slice(0, 5).replace(':', ''), 16) / 0x1_00_00;
  const [begin, end] = [beginOf(root), endOf(root)];
  return end - (end - begin) * (DUE_SHARE + JITTER_SHARE * fraction);
}
