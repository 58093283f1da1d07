import { createHash } from 'node:crypto';
import type { EventNote, EventSubject, KubeObject, ResourceType } from './api.ts';
import { microTime } from './micro-time.ts';

export const eventType: ResourceType = { group: 'events.k8s.io', version: 'v1', plural: 'events' };

/** Who writes. */
export type EventReporter = {
  /** A qualified name: `xebec.dev/control-plane`. */
  readonly controller: string;
  /** This process. */
  readonly instance: string;
};

/** How often something happened; times are of the wall clock. */
export type Occurrences = { readonly count: number; readonly first: number; readonly last: number };

const NOTE_BYTES = 1_024;
const NAME_LENGTH = 220;

export function buildEvent(
  subject: EventSubject,
  note: EventNote,
  reporter: EventReporter,
  seen: Occurrences,
): KubeObject {
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { namespace: eventNamespace(subject), name: eventName(subject, note, reporter, seen) },
    eventTime: microTime(seen.first),
    ...(seen.count > 1 ? { series: buildSeries(seen) } : {}),
    type: note.type,
    reason: note.reason,
    action: note.action,
    note: cutText(note.message, NOTE_BYTES),
    regarding: {
      apiVersion: subject.apiVersion,
      kind: subject.kind,
      name: subject.name,
      ...(subject.namespace === '' ? {} : { namespace: subject.namespace }),
      ...(subject.uid === undefined ? {} : { uid: subject.uid }),
    },
    reportingController: reporter.controller,
    reportingInstance: reporter.instance.slice(0, 128),
  };
}

export function buildSeries({ count, last }: Occurrences): KubeObject {
  return { count, lastObservedTime: microTime(last) };
}

/** Events of what has no namespace are where kubectl looks for them. */
function eventNamespace({ namespace }: EventSubject): string {
  return namespace === '' ? 'default' : namespace;
}

function eventName(subject: EventSubject, note: EventNote, reporter: EventReporter, { first }: Occurrences): string {
  const parts = [subject.kind, subject.uid, note.reason, note.message, reporter.instance, first];
  const hash = createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
  return `${subject.name.slice(0, NAME_LENGTH).replace(/[^a-z0-9]+$/, '')}.${hash}`;
}

/** At most so many bytes of UTF-8, cut between characters. */
function cutText(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  const kept = Buffer.from(text).subarray(0, bytes - 3);
  // The last character may be cut in two, which decodes to a replacement.
  return `${kept.toString('utf8').replace(/\uFFFD+$/, '')}…`;
}
