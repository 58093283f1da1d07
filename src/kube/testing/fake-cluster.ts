import type { ServerResponse } from 'node:http';
import type { KubeObject } from '../api.ts';
import { asRecord, nameOf, resourceVersionOf } from '../json.ts';
import { answer, type FakeRequest, refuse, statusOf } from './fake-api-server.ts';

type Change = { readonly type: string; readonly collection: string; readonly object: KubeObject; readonly at: number };

/** A watch that is open; tests write into it what they like. */
export class FakeWatch {
  readonly collection: string;
  readonly namespace: string;
  readonly response: ServerResponse;

  constructor(collection: string, namespace: string, response: ServerResponse) {
    this.collection = collection;
    this.namespace = namespace;
    this.response = response;
  }

  raw(text: string): void {
    this.response.write(text);
  }

  event(type: string, object: object): void {
    this.raw(`${JSON.stringify({ type, object })}\n`);
  }

  end(): void {
    this.response.end();
  }
}

/**
 * Objects with resourceVersions, a history, and what clients do with them: pages, watches, optimistic locks. Only as true to the
 * real one as its tests need; what can be tested on a real API server is.
 */
export class FakeCluster {
  readonly #objects = new Map<string, KubeObject>();
  readonly #history: Change[] = [];
  readonly watches = new Set<FakeWatch>();
  version = 100;
  #compacted = 0;

  /** Creates or replaces. */
  put(collection: string, object: KubeObject): KubeObject {
    const key = keyOf(collection, object);
    const type = this.#objects.has(key) ? 'MODIFIED' : 'ADDED';
    const stored = this.#stamp(object);
    this.#objects.set(key, stored);
    this.#publish({ type, collection, object: stored, at: this.version });
    return stored;
  }

  remove(collection: string, namespace: string, name: string): void {
    const key = `${collection} ${namespace}/${name}`;
    const known = this.#objects.get(key);
    if (known === undefined) return;
    this.#objects.delete(key);
    this.#publish({ type: 'DELETED', collection, object: this.#stamp(known), at: this.version });
  }

  list(collection: string): readonly KubeObject[] {
    return [...this.#objects].flatMap(([key, object]) => (key.startsWith(`${collection} `) ? [object] : []));
  }

  get(collection: string, namespace: string, name: string): KubeObject | undefined {
    return this.#objects.get(`${collection} ${namespace}/${name}`);
  }

  /** The last change, told once more. */
  last(collection: string): { readonly type: string; readonly object: KubeObject } | undefined {
    return this.#history.findLast((change) => change.collection === collection);
  }

  /** Forgets the history up to now, and ends what reads it. */
  compact(): void {
    this.version += 1;
    this.#compacted = this.version;
    for (const watch of this.watches) watch.end();
  }

  bookmark(): void {
    for (const watch of this.watches) watch.event('BOOKMARK', { metadata: { resourceVersion: String(this.version) } });
  }

  readonly respond = (request: FakeRequest, response: ServerResponse): void => {
    const place = placeOf(request.path);
    if (request.query.get('watch') === 'true') this.#watch(request, response);
    else if (request.method === 'GET' && place.name === '') this.#answerList(request, response);
    else if (request.method === 'POST') this.#create(request, response);
    else this.#answerObject(request, response);
  };

  #answerList({ path, query }: FakeRequest, response: ServerResponse): void {
    const { collection, namespace } = placeOf(path);
    const limit = Number(query.get('limit') ?? '500');
    const [version = String(this.version), from = '0'] = query.get('continue')?.split(':') ?? [];
    if (Number(version) < this.#compacted) {
      refuse(response, { code: 410, reason: 'Expired', message: 'the continue token is too old' });
      return;
    }
    const all = this.list(collection).filter((object) => namespace === '' || nameOf(object).namespace === namespace);
    const end = Number(from) + limit;
    const metadata = {
      resourceVersion: version,
      ...(end < all.length ? { continue: `${version}:${end}` } : {}),
    };
    answer(response, 200, { kind: 'List', apiVersion: 'v1', metadata, items: all.slice(Number(from), end) });
  }

  #watch({ path, query }: FakeRequest, response: ServerResponse): void {
    const { collection, namespace } = placeOf(path);
    const since = Number(query.get('resourceVersion'));
    const watch = new FakeWatch(collection, namespace, response);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    if (since < this.#compacted) {
      watch.event('ERROR', statusOf({ code: 410, reason: 'Expired', message: 'too old resource version' }));
      watch.end();
      return;
    }
    this.watches.add(watch);
    response.on('close', () => this.watches.delete(watch));
    for (const change of this.#history) if (change.at > since) send(watch, change);
  }

  #create({ path, body }: FakeRequest, response: ServerResponse): void {
    const { collection } = placeOf(path);
    const object = JSON.parse(body) as KubeObject;
    const { namespace, name } = nameOf(object);
    if (this.get(collection, namespace, name) !== undefined)
      refuse(response, { code: 409, reason: 'AlreadyExists', message: `${name} already exists` });
    else answer(response, 201, this.put(collection, object));
  }

  #answerObject({ method, path, body }: FakeRequest, response: ServerResponse): void {
    const { collection, namespace, name } = placeOf(path);
    const known = this.get(collection, namespace, name);
    if (known === undefined) {
      refuse(response, { code: 404, reason: 'NotFound', message: `${name} not found` });
      return;
    }
    switch (method) {
      case 'PUT': {
        const object = JSON.parse(body) as KubeObject;
        const version = resourceVersionOf(object);
        if (version !== '' && version !== resourceVersionOf(known))
          refuse(response, { code: 409, reason: 'Conflict', message: `${name} has been modified` });
        else answer(response, 200, this.put(collection, object));
        return;
      }
      case 'PATCH':
        answer(response, 200, this.put(collection, patched(known, JSON.parse(body))));
        return;
      case 'DELETE':
        this.remove(collection, namespace, name);
        answer(response, 200, { kind: 'Status', status: 'Success' });
        return;
      default:
        answer(response, 200, known);
    }
  }

  #stamp(object: KubeObject): KubeObject {
    this.version += 1;
    return { ...object, metadata: { ...asRecord(object['metadata']), resourceVersion: String(this.version) } };
  }

  #publish(change: Change): void {
    this.#history.push(change);
    for (const watch of this.watches) send(watch, change);
  }
}

function send(watch: FakeWatch, { type, collection, object }: Change): void {
  const isMeant = watch.namespace === '' || watch.namespace === nameOf(object).namespace;
  if (isMeant && watch.collection === collection) watch.event(type, object);
}

/** Enough of RFC 6902 for members at any depth. */
function patched(object: KubeObject, patch: unknown): KubeObject {
  const copy = structuredClone(object) as Record<string, unknown>;
  for (const { path, value } of patch as readonly { readonly path: string; readonly value: unknown }[]) {
    const names = path.split('/').slice(1);
    const last = names.pop() ?? '';
    const parent = names.reduce<Record<string, unknown>>((at, name) => at[name] as Record<string, unknown>, copy);
    parent[last] = value;
  }
  return copy;
}

function keyOf(collection: string, object: KubeObject): string {
  const { namespace, name } = nameOf(object);
  return `${collection} ${namespace}/${name}`;
}

type Place = { readonly collection: string; readonly namespace: string; readonly name: string };

/** `/apis/GROUP/VERSION/namespaces/NAMESPACE/PLURAL/NAME`, with or without its parts. */
function placeOf(path: string): Place {
  const parts = path.split('/').slice(1);
  const rest = parts.slice(parts[0] === 'api' ? 2 : 3);
  const isNamespaced = rest[0] === 'namespaces' && rest.length > 2;
  const [collection = '', name = ''] = isNamespaced ? rest.slice(2) : rest;
  return { collection, namespace: isNamespaced ? (rest[1] ?? '') : '', name };
}
