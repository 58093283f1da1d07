import { type Held, heldIn } from './client-state.ts';
import type { EncodedResource, ResourceRef } from './resource.ts';
import type { Gone, InFlight, TypeStream } from './type-stream.ts';
import { TypeUrls } from './type-urls.ts';

/** The types of one stream, by type URL. */
export type Types = ReadonlyMap<string, TypeStream>;

/** For how long a phase waits for its client, and what resources still name though it is gone for what may come back. */
export type Patience = { readonly now: number; readonly holdMs: number; readonly graceMs: number };

/**
 * The first cluster for which a resource has to wait: one that the client gets but has not confirmed yet, with its endpoints.
 * What the client does not subscribe to, and what does not exist, nothing waits for: a client that asks for one thing after
 * another must never be kept waiting for what it will only ask for later.
 */
export function clusterToWaitFor(
  { typeUrl, needs }: EncodedResource,
  types: Types,
  warming: ReadonlySet<string>,
): string | undefined {
  const clusters = types.get(TypeUrls.cluster);
  if (clusters === undefined || typeUrl === TypeUrls.cluster || typeUrl === TypeUrls.endpoint) return undefined;
  if (clusters.isIdle && clusters.inFlight === undefined && warming.size === 0) return undefined;
  return needs.find((need) => need.typeUrl === TypeUrls.cluster && !isReady(need.name, clusters, warming))?.name;
}

function isReady(name: string, clusters: TypeStream, warming: ReadonlySet<string>): boolean {
  if (!clusters.covers(name)) return true;
  if (clusters.held(name) === undefined) return clusters.wanted(name) === undefined;
  return !clusters.isUnconfirmed(name) && !warming.has(name);
}

/** Whether a cluster that the client has also has the endpoints that it needs. */
export function hasEndpoints(needs: readonly ResourceRef[], endpoints: TypeStream | undefined): boolean {
  return needs.every(({ typeUrl, name }) => {
    if (typeUrl !== TypeUrls.endpoint) return true;
    if (endpoints === undefined || !endpoints.covers(name) || endpoints.owed.has(name)) return false;
    return endpoints.held(name) === undefined ? endpoints.wanted(name) === undefined : !endpoints.isInFlight(name);
  });
}

/** The gone names that nothing the client has can still need. */
export function removableNames(type: TypeStream, types: Types, { now, holdMs, graceMs }: Patience): readonly string[] {
  const dependents = dependentsOf(type.typeUrl, types);
  // What replaces a listener must work first.
  if (type.typeUrl === TypeUrls.listener && dependents.some(({ blocked }) => blocked.size > 0)) return [];
  const isPatient = (gone: Gone): boolean => now - gone.at < holdMs;
  const isAwaited = type.isResumed && expectedDependents(type.typeUrl).some((typeUrl) => !types.has(typeUrl));
  const inUse = namesInUse(
    type.typeUrl,
    dependents.filter((other) => other !== type),
  );
  const isRemovable = ([name, gone]: readonly [string, Gone]): boolean => {
    if (inUse.names.has(name)) return false;
    if (dependents.some(({ epoch }) => epoch < gone.epoch)) return false;
    if ((isAwaited || inUse.isUncertain) && isPatient(gone)) return false;
    // The newest snapshot itself may name what it does not have, in the middle of an edit.
    return now - gone.at >= graceMs || !dependents.some(({ target }) => target.neededOf(type.typeUrl).has(name));
  };
  return [...type.gone].filter(isRemovable).map(([name]) => name);
}

/** The subscribed types that must be in step before resources of a type may go. */
function dependentsOf(typeUrl: string, types: Types): readonly TypeStream[] {
  const isDependent = (other: string): boolean => {
    if (typeUrl === TypeUrls.endpoint) return other === TypeUrls.cluster;
    if (typeUrl === TypeUrls.listener) return other === TypeUrls.listener || other === TypeUrls.route;
    if (typeUrl === TypeUrls.route) return other === TypeUrls.listener;
    return other !== typeUrl && other !== TypeUrls.endpoint;
  };
  return [...types.values()].filter((type) => isDependent(type.typeUrl));
}

/** A client that resumes asks for one type after the other: what it has of those to come is not known yet. */
function expectedDependents(typeUrl: string): readonly string[] {
  if (typeUrl === TypeUrls.cluster) return [TypeUrls.listener, TypeUrls.route];
  return typeUrl === TypeUrls.endpoint ? [TypeUrls.cluster] : [];
}

/**
 * Names that the client's holdings need where those may differ from the snapshot: what waits, what is replaced or removed by a
 * response that is not confirmed, and accepted versions still in force.
 */
function namesInUse(
  typeUrl: string,
  dependents: readonly TypeStream[],
): { readonly names: ReadonlySet<string>; readonly isUncertain: boolean } {
  const names = new Set<string>();
  let isUncertain = false;
  const note = (holdings: Iterable<Held | undefined>): void => {
    for (const held of holdings) {
      if (held !== undefined && held.needs === undefined) isUncertain = true;
      for (const need of held?.needs ?? []) if (need.typeUrl === typeUrl) names.add(need.name);
    }
  };
  for (const { client, target, inFlight } of dependents) {
    note(target.overrides.values());
    note(client.holdings.overlay.values());
    if (inFlight !== undefined && !inFlight.isOverdue) note(replacedBy(inFlight));
  }
  return { names, isUncertain };
}

function replacedBy({ resources, removed, before }: InFlight): readonly (Held | undefined)[] {
  return [...resources.map(({ name }) => name), ...removed].map((name) => heldIn(before, name));
}
