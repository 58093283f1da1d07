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

export function encodeDeltaResponse({ typeUrl, nonce, version, resources, removed }: ResponseInputs): Buffer {
  const fields = [
    field(VERSION, version),
    field(TYPE_URL, typeUrl),
    field(NONCE, nonce),
    ...removed.map((name) => field(REMOVED, name)),
  ];
  const size = resources.reduce((sum, { frame }) => sum + frame.length, 0);
  const message = Buffer.allocUnsafe(sizeOf(fields) + size);
  let at = writeFields(message, fields);
  for (const { frame } of resources) {
    frame.copy(message, at);
    at += frame.length;
  }
  return message;
}

export function encodeSotwResponse({ typeUrl, nonce, version, resources }: ResponseInputs): Buffer {
  const fields = [field(VERSION, version), field(TYPE_URL, typeUrl), field(NONCE, nonce)];
  const size = resources.reduce((sum, { frame, anyOffset }) => sum + frame.length - anyOffset, 0);
  const message = Buffer.allocUnsafe(sizeOf(fields) + size);
  let at = writeFields(message, fields);
  for (const { frame, anyOffset } of resources) {
    frame.copy(message, at, anyOffset);
    at += frame.length - anyOffset;
  }
  return message;
}

function field(tag: number, text: string): TextField {
  return { tag, text, length: Buffer.byteLength(text) };
}

function sizeOf(fields: readonly TextField[]): number {
  return fields.reduce((sum, { length }) => sum + fieldSize(length), 0);
}

function writeFields(message: Buffer, fields: readonly TextField[]): number {
  return fields.reduce((at, each) => writeText(message, at, each), 0);
}
