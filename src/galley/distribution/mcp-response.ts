import { fieldSize, lengthTag, writeText, writeVarint } from '../../xds/wire.ts';

/** An encoded `Resources`, put together where it is sent from: what a hundred sinks get is copied once for each, not twice. */
export type ResourcesMessage = { readonly byteLength: number; copy(target: Buffer, at: number): void };

type ResourcesInputs = {
  readonly version: string;
  readonly collection: string;
  /** Encoded `Resource`s. */
  readonly resources: readonly Uint8Array[];
  readonly removed: readonly string[];
  readonly nonce: string;
  readonly incremental: boolean;
};

const VERSION = lengthTag(1);
const COLLECTION = lengthTag(2);
const RESOURCE = lengthTag(3);
const REMOVED = lengthTag(4);
const NONCE = lengthTag(5);
/** Field 6, a varint that is 1. */
const INCREMENTAL = [0x30, 1];

type TextField = { readonly tag: number; readonly text: string; readonly length: number };

export function encodeResources(inputs: ResourcesInputs): ResourcesMessage {
  const { version, collection, resources, removed, nonce, incremental } = inputs;
  const fields = [
    field(VERSION, version),
    field(COLLECTION, collection),
    ...removed.map((name) => field(REMOVED, name)),
    field(NONCE, nonce),
  ];
  const flag = incremental ? INCREMENTAL : [];
  const head = Buffer.alloc(fields.reduce((sum, { length }) => sum + fieldSize(length), flag.length));
  head.set(
    flag,
    fields.reduce((at, each) => writeText(head, at, each), 0),
  );
  const byteLength = resources.reduce((sum, { length }) => sum + fieldSize(length), head.length);
  const copy = (target: Buffer, at: number): void => {
    head.copy(target, at);
    let next = at + head.length;
    for (const resource of resources) {
      target[next] = RESOURCE;
      const start = writeVarint(target, next + 1, resource.length);
      target.set(resource, start);
      next = start + resource.length;
    }
  };
  return { byteLength, copy };
}

function field(tag: number, text: string): TextField {
  return { tag, text, length: Buffer.byteLength(text) };
}
