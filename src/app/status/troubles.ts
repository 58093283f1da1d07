import type { StreamDelivery, TypeDelivery } from '../../xds/delivery.ts';
import { noNames } from '../../xds/name-pool.ts';
import type { Cohort } from './cohorts.ts';
import { ownersNotAskedFor, ownersOf } from './owners.ts';
import { Troubles } from './tally.ts';

/** What all proxies of a cohort lack. Costs what is under way and what is held back. */
export function commonTroubles({ types, view }: Cohort): Troubles {
  const troubles = new Troubles();
  for (const type of types) {
    for (const { names } of type.behind) for (const name of names) noteName(troubles, type, name, 'pending');
    for (const name of type.set.overrides.keys()) noteRefused(troubles, type, name, 'heldBack');
  }
  if (view.proxy.kind !== 'proxyless') noteUnasked(troubles, types, view);
  return troubles;
}

/** An Envoy asks for everything in its view sooner or later; what it has not asked for waits for what leads there. */
function noteUnasked(troubles: Troubles, types: readonly TypeDelivery[], { snapshot }: Cohort['view']): void {
  const asked = new Map(types.map((type) => [type.set.base.typeUrl, type]));
  for (const [typeUrl, set] of snapshot) {
    const type = asked.get(typeUrl);
    const names = type === undefined ? noNames : type.names;
    if (names === undefined) continue;
    for (const owner of ownersNotAskedFor(set, names)) troubles.note(owner, 'pending');
  }
}

/** What one of them lacks beside. */
export function ownTroubles({ types }: StreamDelivery): Troubles {
  const troubles = new Troubles();
  for (const type of types) {
    for (const [name, version] of type.refused) {
      if (type.set.base.resources.get(name)?.version === version) noteRefused(troubles, type, name, 'refused');
    }
    for (const name of type.unconfirmed) if (!isRefused(type, name)) noteName(troubles, type, name, 'pending');
  }
  return troubles;
}

/** This client has what it had before, and that is as it should be. */
function isRefused({ refused, set }: TypeDelivery, name: string): boolean {
  return refused.get(name) === set.base.resources.get(name)?.version;
}

function noteName(troubles: Troubles, { set, names }: TypeDelivery, name: string, state: 'pending'): void {
  const resource = names === undefined || names.has(name) ? set.get(name) : undefined;
  if (resource !== undefined) for (const owner of ownersOf(resource)) troubles.note(owner, state);
}

function noteRefused(troubles: Troubles, type: TypeDelivery, name: string, state: 'heldBack' | 'refused'): void {
  const { set, names } = type;
  const resource = names === undefined || names.has(name) ? set.base.resources.get(name) : undefined;
  if (resource === undefined) return;
  troubles.refused.add(resource);
  for (const owner of ownersOf(resource)) troubles.note(owner, state);
}
