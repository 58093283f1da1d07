import type { AdmissionRequest } from '../../http/admission-review.ts';
import type { ObjectMeta } from '../../model/object.ts';
import { isRecord } from '../is-record.ts';
import { readMeta } from '../sources/read-meta.ts';

type Json = Readonly<Record<string, unknown>>;

/** The object that somebody wants to create or change. */
export type Candidate = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly body: Json;
  /** Its name may be a stand-in for one that is still to be generated. */
  readonly meta: ObjectMeta;
  /** As a person calls it: `reviews`, or `reviews-*` before its name is generated. */
  readonly title: string;
};

/** What stands for the letters that the API server will add to `generateName`. */
const GENERATED = 'xxxxx';

export function readCandidate({ kind, name, namespace }: AdmissionRequest, body: Json): Candidate {
  const metadata = isRecord(body['metadata']) ? body['metadata'] : {};
  const meta = readMeta(metadata, textOf(metadata['namespace']) || namespace);
  const given = meta.name || name;
  const prefix = textOf(metadata['generateName']);
  return {
    ...identityOf(kind, body),
    body,
    meta: { ...meta, name: given || `${prefix}${GENERATED}` },
    title: given || `${prefix}*`,
  };
}

/** What the API server says it is; somebody who asks without saying means what the object says. */
function identityOf(
  { group, version, kind }: AdmissionRequest['kind'],
  body: Json,
): { readonly apiVersion: string; readonly kind: string } {
  if (kind !== '') return { apiVersion: group === '' ? version : `${group}/${version}`, kind };
  return { apiVersion: textOf(body['apiVersion']), kind: textOf(body['kind']) };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
