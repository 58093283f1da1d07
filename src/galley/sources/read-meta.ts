import type { ObjectMeta } from '../../model/object.ts';
import { isRecord } from '../is-record.ts';

/** The metadata of an object as far as it can be read; what is wrong with it is said on admission. */
export function readMeta(metadata: Readonly<Record<string, unknown>>, namespace: string): ObjectMeta {
  return {
    namespace,
    name: textOf(metadata['name']) ?? '',
    labels: textsOf(metadata['labels']),
    annotations: textsOf(metadata['annotations']),
    uid: textOf(metadata['uid']),
    resourceVersion: textOf(metadata['resourceVersion']),
    generation: typeof metadata['generation'] === 'number' ? metadata['generation'] : undefined,
    createdAt: timeOf(metadata['creationTimestamp']),
    deletedAt: timeOf(metadata['deletionTimestamp']),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function textsOf(value: unknown): Readonly<Record<string, string>> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, text]) => (typeof text === 'string' ? [[key, text] as const] : [])),
  );
}

function timeOf(value: unknown): number | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}
