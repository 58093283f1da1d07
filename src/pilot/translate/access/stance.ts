import type { AccessAction } from './plan.ts';

/**
 * What to make of a request that servers read in different ways. What refuses matches in doubt (`wide`), what lets in does not
 * (`strict`), so that nobody gets in by writing a thing in another way.
 */
export type Stance = 'wide' | 'strict';

export function stanceOf(action: AccessAction, isNegated: boolean): Stance {
  return refuses(action) === isNegated ? 'strict' : 'wide';
}

/** Whether a match is to the disadvantage of whoever asks. */
export function refuses(action: AccessAction): boolean {
  return action === 'DENY' || action === 'CUSTOM';
}
