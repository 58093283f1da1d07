import { collections } from '../../apis/collections.ts';
import type { EventNote, EventSubject, KubeObject, ResourceType } from '../../kube/api.ts';
import type { Condition, ObjectStatus } from './conditions.ts';
import type { PresentCondition, PresentStatus } from './present-status.ts';
import type { Posted } from './status-board.ts';
import { eventsBetween } from './status-events.ts';

/** One status to be written. */
export type StatusPatch = {
  readonly type: ResourceType;
  readonly object: KubeObject;
  /** The same for statuses that say the same. */
  readonly fingerprint: string;
  /** What to tell once it is written. */
  readonly subject: EventSubject;
  readonly events: readonly EventNote[];
};

/** What to write; nothing where the present status says it already, or where the object is not in a Kubernetes API. */
export function buildPatch({ object, status, present }: Posted, now: number): StatusPatch | undefined {
  const { apiVersion, kind, meta } = object.source;
  const { namespace, name, uid, resourceVersion, generation } = meta;
  if (uid === undefined || resourceVersion === undefined || generation === undefined) return undefined;
  if (saysTheSame(status, present)) return undefined;
  const type = typeOf(apiVersion, kind);
  if (type === undefined) return undefined;
  const body = describe(status);
  return {
    type,
    fingerprint: JSON.stringify(body),
    subject: { apiVersion, kind, namespace, name, uid },
    events: eventsBetween(present, status),
    object: {
      apiVersion,
      kind,
      // What is said is said of this version of this very object: the API server refuses it of another.
      metadata: { ...(namespace === '' ? {} : { namespace }), name, uid, resourceVersion },
      status: { ...body, conditions: status.conditions.map((each) => dated(each, { status, present, now })) },
    },
  };
}

function typeOf(apiVersion: string, kind: string): ResourceType | undefined {
  const collection = Object.values(collections).find((each) => each.kind === kind);
  if (collection === undefined) return undefined;
  return { group: collection.group, version: apiVersion.slice(apiVersion.indexOf('/') + 1), plural: collection.plural };
}

/** All but the times. */
function describe({ generation, programmed, validationMessages, conditions }: ObjectStatus) {
  return {
    observedGeneration: generation,
    ...(programmed === undefined
      ? {}
      : {
          programmed: `${programmed.programmed}/${programmed.known}`,
          programmedProxies: programmed.programmed,
          knownProxies: programmed.known,
        }),
    ...(validationMessages.length === 0 ? {} : { validationMessages }),
    conditions,
  };
}

type Dating = { readonly status: ObjectStatus; readonly present: PresentStatus; readonly now: number };

/** The time moves with the status of the condition, with nothing else. */
function dated(condition: Condition, { status, present, now }: Dating) {
  const before = present.conditions.get(condition.type);
  const { lastTransitionTime: since } = before ?? {};
  const isSame = before?.status === condition.status && typeof since === 'string';
  const lastTransitionTime = isSame ? since : `${new Date(now).toISOString().slice(0, 19)}Z`;
  return { ...condition, observedGeneration: status.generation, lastTransitionTime };
}

function saysTheSame(status: ObjectStatus, present: PresentStatus): boolean {
  const { conditions, ...rest } = describe(status);
  const fields = { programmed: undefined, programmedProxies: undefined, knownProxies: undefined, ...rest };
  const isSame =
    present.observedGeneration === fields.observedGeneration &&
    present.programmed === fields.programmed &&
    present.programmedProxies === fields.programmedProxies &&
    present.knownProxies === fields.knownProxies &&
    sameMessages(status.validationMessages, present.validationMessages);
  if (!isSame || present.conditions.size !== conditions.length) return false;
  return conditions.every((each) => sameCondition(each, present.conditions.get(each.type), status.generation));
}

function sameCondition(
  { status, reason, message }: Condition,
  present: PresentCondition | undefined,
  generation: number | undefined,
): boolean {
  return (
    present?.status === status &&
    present.reason === reason &&
    present.message === message &&
    present.observedGeneration === generation
  );
}

/** Whatever order the API server keeps fields in. */
function sameMessages(own: ObjectStatus['validationMessages'], present: unknown): boolean {
  const list: readonly unknown[] = Array.isArray(present) ? present : [];
  return own.length === list.length && own.every((message, index) => covers(list[index], message));
}

function covers(present: unknown, own: unknown): boolean {
  if (typeof own !== 'object' || own === null) return present === own;
  if (typeof present !== 'object' || present === null) return false;
  return Object.entries(own).every(([key, value]) => covers(Reflect.get(present, key), value));
}
