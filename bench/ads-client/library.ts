import { createHash } from 'node:crypto';
import { decodeMessage } from '../../src/gen/codec.ts';
import { TypeUrls } from '../../src/xds/type-urls.ts';
import { WireReader } from '../../src/xds/wire.ts';

export type Protocol = 'delta' | 'sotw';

/** One resource in one version, known once however many clients have it. */
export type Resource = {
  readonly typeUrl: string;
  readonly name: string;
  /** The server's in delta; a hash of the content in state-of-the-world, where resources have no versions. */
  readonly version: string;
  /** The encoded message. */
  readonly value: Buffer;
  /** Names of the other type that it asks for: a cluster's endpoints, a listener's routes. */
  readonly asksFor: readonly string[];
};

export type Response = {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly version: string;
  readonly resources: readonly Resource[];
  readonly removed: readonly string[];
  readonly bytes: number;
};

type Batch = { readonly bytes: Buffer; readonly resources: readonly Resource[] };

/** Batches that are remembered per length, and resources of which old versions are remembered. */
const REMEMBERED = 8;

/**
 * Reads responses. What many clients get is read once: after nonce and version the bytes of equal responses are equal, and comparing
 * bytes costs next to nothing.
 */
export class Library {
  readonly #protocol: Protocol;
  readonly #batches = new Map<string, Batch[]>();
  readonly #resources = new Map<string, Resource>();

  constructor(protocol: Protocol) {
    this.#protocol = protocol;
  }

  read(message: Buffer): Response {
    const head = { typeUrl: '', nonce: '', version: '' };
    const removed: string[] = [];
    const reader = new WireReader(message);
    let body = message.subarray(message.length);
    while (reader.next()) {
      if (reader.field === 1) head.version = reader.text();
      else if (reader.field === 4) head.typeUrl = reader.text();
      else if (reader.field === 5) head.nonce = reader.text();
      else if (reader.field === 6) removed.push(reader.text());
      else if (reader.field === 2) {
        // The server writes resources last.
        body = bodyFrom(message, reader.bytes());
        break;
      }
    }
    return { ...head, removed, resources: this.#resourcesOf(head.typeUrl, body), bytes: message.length };
  }

  #resourcesOf(typeUrl: string, body: Buffer): readonly Resource[] {
    if (body.length === 0) return [];
    const key = `${typeUrl} ${body.length}`;
    const known = this.#batches.get(key) ?? [];
    const same = known.find(({ bytes }) => bytes.equals(body));
    if (same !== undefined) return same.resources;
    const resources: Resource[] = [];
    const reader = new WireReader(body);
    while (reader.next()) {
      if (reader.field !== 2) throw new Error(`a response of ${typeUrl} has field ${reader.field} after its resources`);
      resources.push(this.#readResource(typeUrl, reader.message()));
    }
    known.push({ bytes: Buffer.from(body), resources });
    this.#batches.set(key, known.slice(-REMEMBERED));
    return resources;
  }

  #readResource(typeUrl: string, reader: WireReader): Resource {
    const { name, version, value } = this.#protocol === 'delta' ? readDeltaResource(reader) : named(readAny(reader));
    const key = `${typeUrl}\n${name}\n${version}`;
    const known = this.#resources.get(key);
    if (known !== undefined) return known;
    const copy = Buffer.from(value);
    const resource = { typeUrl, name, version, value: copy, asksFor: asksFor(typeUrl, copy) };
    this.#resources.set(key, resource);
    return resource;
  }
}

function bodyFrom(message: Buffer, firstResource: Buffer): Buffer {
  const from = firstResource.byteOffset - message.byteOffset;
  // Back over the length of the first resource to its tag.
  let at = from - 1;
  let length = firstResource.length;
  while (length > 0x7f) {
    at -= 1;
    length >>>= 7;
  }
  return message.subarray(at - 1);
}

type Raw = { readonly name: string; readonly version: string; readonly value: Buffer };

function readDeltaResource(reader: WireReader): Raw {
  let name = '';
  let version = '';
  let value = Buffer.alloc(0) as Buffer;
  while (reader.next()) {
    if (reader.field === 1) version = reader.text();
    else if (reader.field === 2) value = readAny(reader.message());
    else if (reader.field === 3) name = reader.text();
  }
  return { name, version, value };
}

function readAny(reader: WireReader): Buffer {
  let value = Buffer.alloc(0) as Buffer;
  while (reader.next()) if (reader.field === 2) value = reader.bytes();
  return value;
}

/** Every resource that ADS brings has its name in field 1. */
function named(value: Buffer): Raw {
  const reader = new WireReader(value);
  while (reader.next()) {
    if (reader.field !== 1) continue;
    const version = createHash('sha1').update(value).digest('base64url').slice(0, 12);
    return { name: reader.text(), version, value };
  }
  throw new Error('a resource without a name');
}

const EDS = 3;
const CONNECTION_MANAGER = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';

function asksFor(typeUrl: string, value: Buffer): readonly string[] {
  if (typeUrl === TypeUrls.cluster) {
    const { name = '', type, edsClusterConfig } = decodeMessage('envoy.config.cluster.v3.Cluster', value);
    return type === EDS ? [edsClusterConfig?.serviceName ?? name] : [];
  }
  if (typeUrl !== TypeUrls.listener) return [];
  const { filterChains = [], defaultFilterChain } = decodeMessage('envoy.config.listener.v3.Listener', value);
  const chains = defaultFilterChain === undefined ? filterChains : [...filterChains, defaultFilterChain];
  const names = chains.flatMap(({ filters = [] }) => filters.flatMap(({ typedConfig }) => routeOf(typedConfig)));
  return [...new Set(names)];
}

function routeOf(config: { readonly type_url: string; readonly value: Uint8Array } | undefined): readonly string[] {
  if (config === undefined || !config.type_url.endsWith(CONNECTION_MANAGER)) return [];
  const { rds } = decodeMessage(CONNECTION_MANAGER, config.value);
  return rds?.routeConfigName === undefined ? [] : [rds.routeConfigName];
}
