import type { EncodedResource } from './resource.ts';
import { fieldSize, lengthTag, writeText } from './wire.ts';

export type ResponseInputs = {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly version: string;
  readonly resources: readonly EncodedResource[];
  /** Delta only. */
  readonly removed: readonly string[];
};

type TextField = { readonly tag: number; readonly text: string; readonly length: number };

/** `version`, `type_url` and `nonce` have the same numbers in both responses. */
const VERSION = lengthTag(1);
const TYPE_URL = lengthTag(4);
const NONCE = lengthTag(5);
const REMOVED = lengthTag(6);

/**
 * A message that is put together where it is sent from: what a thousand clients get is copied once for each of them, not twice.
 * A `Buffer` is one too.
 */
export type Message = {
  readonly byteLength: number;
  copy(target: Buffer, at: number): void;
};

export function encodeDeltaResponse({ typeUrl, nonce, version, resources, removed }: ResponseInputs): Message {
  const fields = [
    field(VERSION, version),
    field(TYPE_URL, typeUrl),
    field(NONCE, nonce),
    ...removed.map((name) => field(REMOVED, name)),
  ];
  return message(fields, resources, () => 0);
}

export function encodeSotwResponse({ typeUrl, nonce, version, resources }: ResponseInputs): Message {
  const fields = [field(VERSION, version), field(TYPE_URL, typeUrl), field(NONCE, nonce)];
  return message(fields, resources, ({ anyOffset }) => anyOffset);
}

/** The fields, then the part of each resource's frame that begins where `from` says. */
function message(
  fields: readonly TextField[],
  resources: readonly EncodedResource[],
  from: (resource: EncodedResource) => number,
): Message {
  const head = Buffer.allocUnsafe(fields.reduce((sum, { length }) => sum + fieldSize(length), 0));
  fields.reduce((at, each) => writeText(head, at, each), 0);
  const byteLength = resources.reduce((sum, resource) => sum + resource.frame.length - from(resource), head.length);
  const copy = (target: Buffer, at: number): void => {
    head.copy(target, at);
    let next = at + head.length;
    for (const resource of resources) next += resource.frame.copy(target, next, from(resource));
  };
  return { byteLength, copy };
}

function field(tag: number, text: string): TextField {
  return { tag, text, length: Buffer.byteLength(text) };
}
