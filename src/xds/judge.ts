import { findGuilty } from './nack.ts';
import type { EncodedResource } from './resource.ts';
import type { InFlight, TypeStream } from './type-stream.ts';
import { TypeUrls } from './type-urls.ts';
import type { Verdicts } from './verdicts.ts';

export type Conviction = { readonly resource: EncodedResource; readonly scope: 'everybody' | 'this proxy' };

type Case = { readonly type: TypeStream; readonly inFlight: InFlight; readonly error: string };

/**
 * Decides what a rejected response means: which resources are kept back from now on, or, where the message names none, that the
 * same resources are sent again in halves. Each NACK convicts or halves, and a conviction is final, so that this ends.
 */
export function judgeNack(
  { type, inFlight, error }: Case,
  deps: { readonly verdicts: Verdicts; readonly proxy: string },
): readonly Conviction[] {
  const { resources } = inFlight;
  const named = findGuilty(error, resources);
  const guilty = named.length > 0 || resources.length > 1 ? named : resources;
  if (guilty.length === 0) {
    type.batchLimit = Math.max(1, Math.ceil(resources.length / 2));
    return [];
  }
  if (mayCollide(type)) {
    type.removalsFirst = 'next';
    return [];
  }
  return guilty.map((resource) => {
    type.refused.set(resource.name, resource.version);
    type.onTrial.delete(resource);
    const isLocal = isLocalFact(type.typeUrl) || lacksFile(reasonOf(error, resource.name, guilty));
    const isKeptFromAll = !isLocal && deps.verdicts.reject(resource, deps.proxy);
    return { resource, scope: isKeptFromAll ? 'everybody' : 'this proxy' };
  });
}

/** A secret may name a file that this proxy's machine lacks: that says nothing of others, and may change. */
export function isLocalFact(typeUrl: string): boolean {
  return typeUrl === TypeUrls.secret;
}

/** The same of any resource: whose certificates are not where they should be must not keep it from all others. */
function lacksFile(reason: string): boolean {
  return /refer to an existing path|unable to read file|Invalid path/i.test(reason);
}

/** What a message says of one of the resources that it names, or all of it where that cannot be told. */
function reasonOf(error: string, name: string, guilty: readonly EncodedResource[]): string {
  const at = error.indexOf(`${name}: `);
  if (at < 0) return error;
  const rest = error.slice(at + name.length);
  const ends = guilty.map((other) => rest.indexOf(`${other.name}: `)).filter((end) => end >= 0);
  return rest.slice(0, Math.min(rest.length, ...ends));
}

/** A new listener may be rejected only because one that is about to go still has its address. */
function mayCollide({ typeUrl, gone, removalsFirst }: TypeStream): boolean {
  return typeUrl === TypeUrls.listener && gone.size > 0 && removalsFirst === 'no';
}
