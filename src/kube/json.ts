import type { KubeObject, ObjectName } from './api.ts';

const nothing: KubeObject = {};

/** The record that something of unknown shape is, or an empty one. */
export function asRecord(value: unknown): KubeObject {
  return isRecord(value) ? value : nothing;
}

export function isRecord(value: unknown): value is KubeObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function textIn(record: KubeObject, field: string): string {
  const value = record[field];
  return typeof value === 'string' ? value : '';
}

export function numberIn(record: KubeObject, field: string): number | undefined {
  const value = record[field];
  return typeof value === 'number' ? value : undefined;
}

export function recordsIn(record: KubeObject, field: string): readonly KubeObject[] {
  const value = record[field];
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

/** The JSON value of a text; `undefined` for what is no JSON (which `undefined` never is). */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function nameOf(object: KubeObject): ObjectName {
  const metadata = asRecord(object['metadata']);
  return { namespace: textIn(metadata, 'namespace'), name: textIn(metadata, 'name') };
}

export function resourceVersionOf(object: KubeObject): string {
  return textIn(asRecord(object['metadata']), 'resourceVersion');
}
