import { err, ok, type Result } from '../kit/result.ts';
import { parseJson } from './json-text.ts';

type Json = Readonly<Record<string, unknown>>;

export type GroupVersionKind = { readonly group: string; readonly version: string; readonly kind: string };

/** What the API server asks a webhook, as far as anybody here reads it. Absent texts are empty. */
export type AdmissionRequest = {
  readonly uid: string;
  readonly kind: GroupVersionKind;
  readonly subResource: string;
  /** Empty for an object whose name is still to be generated. */
  readonly name: string;
  readonly namespace: string;
  /** CREATE, UPDATE, DELETE or CONNECT. */
  readonly operation: string;
  /** As it came: nothing is known of it. */
  readonly object: unknown;
  readonly oldObject: unknown;
  readonly dryRun: boolean;
};

export type AdmissionReply = {
  readonly allowed: boolean;
  /** Said to whoever is refused. */
  readonly message?: string | undefined;
  readonly warnings?: readonly string[] | undefined;
  /** A JSON patch (RFC 6902) of the object, of a webhook that may change it. */
  readonly patch?: readonly Json[] | undefined;
};

/** A request, and the version of the API it was asked in, which is the version of the answer. */
export type AdmissionReview = { readonly apiVersion: string; readonly request: AdmissionRequest };

const VERSIONS = ['admission.k8s.io/v1', 'admission.k8s.io/v1beta1'] as const;

/** Objects of Kubernetes end at a tenth of it; the API server's own limit is 10,000, where a recursive walk has no stack left. */
const MAX_DEPTH = 128;

/** Reads a review. The error says what cannot be read. */
export function decodeReview(body: Uint8Array): Result<AdmissionReview, string> {
  const parsed = parseJson(body, MAX_DEPTH);
  if (!parsed.ok) return parsed;
  const review = parsed.value;
  if (!isRecord(review) || review['kind'] !== 'AdmissionReview') return err('it is no AdmissionReview');
  const { apiVersion, request } = review;
  const version = VERSIONS.find((known) => known === apiVersion);
  if (version === undefined) return err(`its apiVersion is none of ${VERSIONS.join(', ')}`);
  if (!isRecord(request)) return err('it has no request');
  if (textOf(request['uid']) === '') return err('its request has no uid');
  return ok({ apiVersion: version, request: readRequest(request) });
}

function readRequest(request: Json): AdmissionRequest {
  const kind = isRecord(request['kind']) ? request['kind'] : {};
  return {
    uid: textOf(request['uid']),
    kind: { group: textOf(kind['group']), version: textOf(kind['version']), kind: textOf(kind['kind']) },
    subResource: textOf(request['subResource']),
    name: textOf(request['name']),
    namespace: textOf(request['namespace']),
    operation: textOf(request['operation']),
    object: request['object'],
    oldObject: request['oldObject'],
    dryRun: request['dryRun'] === true,
  };
}

/** The answer to a review, in its version and to its request. */
export function encodeReview({ apiVersion, request }: AdmissionReview, reply: AdmissionReply): string {
  return encode(apiVersion, request.uid, reply);
}

/** The answer to what could not be read, so that whoever reads the answer reads of a refusal. */
export function encodeUnreadable(message: string): string {
  return encode(VERSIONS[0], '', { allowed: false, message });
}

function encode(apiVersion: string, uid: string, { allowed, message, warnings = [], patch }: AdmissionReply): string {
  const response = {
    uid,
    allowed,
    ...(message === undefined ? {} : { status: { message } }),
    ...(warnings.length === 0 ? {} : { warnings }),
    ...(patch === undefined
      ? {}
      : { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') }),
  };
  return JSON.stringify({ apiVersion, kind: 'AdmissionReview', response });
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
