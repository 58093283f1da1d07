import { createHash } from 'node:crypto';
import { fieldSize, lengthTag, writeText, writeVarint } from './wire.ts';

/** An object that a resource was made from, and the place in it (`spec.http[0]`). Opaque here: reports about a resource carry it. */
export type Origin = Readonly<{ kind: string; namespace: string; name: string; path: string }>;

/** The name by which one resource mentions another. */
export type ResourceRef = Readonly<{ typeUrl: string; name: string }>;

/** One resource as it goes over the wire, encoded once and shared by all proxies. */
export type EncodedResource = {
  readonly typeUrl: string;
  readonly name: string;
  /** A hash of type and content: the same in every process that makes the same bytes. */
  readonly version: string;
  /** `DeltaDiscoveryResponse.resources`: tag, length and a `Resource` whose last field is the `Any`. */
  readonly frame: Buffer;
  /** Where the `Any` begins. It has field number 2 in both, so the rest of the frame also is `DiscoveryResponse.resources`. */
  readonly anyOffset: number;
  /** What must be at the proxy for this to work: a cluster's assignment, a listener's routes and clusters, a route's clusters. */
  readonly needs: readonly ResourceRef[];
  readonly origins: readonly Origin[];
};

export type ResourceInputs = {
  readonly typeUrl: string;
  /** Of the message, where it is another than that of the type: configuration travels so. */
  readonly bodyTypeUrl?: string;
  readonly name: string;
  /** The encoded message. */
  readonly value: Uint8Array;
  readonly needs: readonly ResourceRef[];
  readonly origins: readonly Origin[];
};

const VERSION_LENGTH = 16;
const RESOURCES = lengthTag(2);
const RESOURCE_VERSION = lengthTag(1);
const RESOURCE_ANY = lengthTag(2);
const RESOURCE_NAME = lengthTag(3);
const ANY_TYPE_URL = lengthTag(1);
const ANY_VALUE = lengthTag(2);

export function encodeResource(inputs: ResourceInputs): EncodedResource {
  const { typeUrl, bodyTypeUrl = typeUrl, name, value, needs, origins } = inputs;
  const nameLength = Buffer.byteLength(name);
  const typeLength = Buffer.byteLength(bodyTypeUrl);
  const anyLength = fieldSize(typeLength) + fieldSize(value.length);
  const resourceLength = fieldSize(nameLength) + fieldSize(VERSION_LENGTH) + fieldSize(anyLength);
  // From the pool each small frame would keep a slab of 8 KiB alive for as long as it lives.
  const frame = Buffer.allocUnsafeSlow(fieldSize(resourceLength));

  frame[0] = RESOURCES;
  const versionOffset = writeText(frame, writeVarint(frame, 1, resourceLength), {
    tag: RESOURCE_NAME,
    text: name,
    length: nameLength,
  });
  const anyOffset = versionOffset + fieldSize(VERSION_LENGTH);
  frame[anyOffset] = RESOURCE_ANY;
  const contentOffset = writeVarint(frame, anyOffset + 1, anyLength);
  const valueOffset = writeText(frame, contentOffset, { tag: ANY_TYPE_URL, text: bodyTypeUrl, length: typeLength });
  frame[valueOffset] = ANY_VALUE;
  frame.set(value, writeVarint(frame, valueOffset + 1, value.length));

  const version = shortHash(frame.subarray(contentOffset));
  writeText(frame, versionOffset, { tag: RESOURCE_VERSION, text: version, length: VERSION_LENGTH });
  return { typeUrl, name, version, frame, anyOffset, needs, origins };
}

/** 96 bits of SHA-256, in base64url. */
export function shortHash(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('base64url').slice(0, VERSION_LENGTH);
}
