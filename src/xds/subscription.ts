import type { DeltaRequest, SotwRequest } from './request.ts';
import type { TypeStream } from './type-stream.ts';
import { isNamedOnly } from './type-urls.ts';

/** Applies what a delta request says about names. `isFirst`: of its type on this stream. */
export function applyDeltaNames(
  type: TypeStream,
  { subscribe, unsubscribe, initialVersions }: DeltaRequest,
  isFirst: boolean,
): void {
  if (isFirst && subscribe.length === 0 && !isNamedOnly(type.typeUrl)) type.setWildcard(true);
  type.subscribe(subscribe);
  if (isFirst && initialVersions.size > 0) {
    // Some clients do not subscribe again to what they say they have.
    const unasked = type.client.wildcard ? [] : [...initialVersions.keys()].filter((name) => !type.covers(name));
    type.subscribe(unasked);
    type.resume(initialVersions);
  }
  type.unsubscribe(unsubscribe);
}

/** Applies the names of a state-of-the-world request, which always are the whole subscription. */
export function applySotwNames(type: TypeStream, { names }: SotwRequest, isFirst: boolean): void {
  if (isFirst && names.length === 0) {
    // No names at all mean everything, until the client names something.
    type.isLegacyWildcard = !isNamedOnly(type.typeUrl);
    if (type.isLegacyWildcard) type.setWildcard(true);
    return;
  }
  if (names.length === 0 && type.isLegacyWildcard) return;
  type.isLegacyWildcard = false;
  type.replaceNames(names);
  if (isFirst && !isNamedOnly(type.typeUrl)) type.isAnswerDue = true;
}
