import { err, ok } from '../kit/result.ts';
import type { Counter, Metrics } from '../telemetry/metrics.ts';
import type {
  ApplyOptions,
  JsonPatchStep,
  KubeApi,
  KubeObject,
  KubeResult,
  ListOptions,
  ListPage,
  ObjectName,
  ObjectVersion,
  ResourceType,
  WatchEvent,
  WatchOptions,
} from './api.ts';
import { asRecord, isRecord, nameOf, parseJson, recordsIn, textIn } from './json.ts';
import { collectionPath, listPath, objectPath, watchPath, withQuery } from './paths.ts';
import type { Call, Transport } from './transport.ts';
import { readWatch } from './watch.ts';

/** The Kubernetes API over one transport. */
export class KubeClient implements KubeApi {
  readonly #transport: Transport;
  readonly #calls: Counter;

  constructor(transport: Transport, metrics: Metrics) {
    this.#transport = transport;
    this.#calls = metrics.counter({
      name: 'xebec_kube_calls_total',
      help: 'Calls of the Kubernetes API, watches left out, by verb and outcome.',
      labels: ['verb', 'outcome'],
    });
  }

  get(type: ResourceType, name: ObjectName, signal: AbortSignal): Promise<KubeResult> {
    return this.#object('get', { method: 'GET', path: objectPath(type, name) }, signal);
  }

  getPath(path: string, signal: AbortSignal): Promise<KubeResult> {
    return this.#object('get', { method: 'GET', path }, signal);
  }

  async list(type: ResourceType, options: ListOptions, signal: AbortSignal): Promise<KubeResult<ListPage>> {
    const answer = await this.#object('list', { method: 'GET', path: listPath(type, options) }, signal);
    if (!answer.ok) return answer;
    const metadata = asRecord(answer.value['metadata']);
    const continueToken = textIn(metadata, 'continue');
    return ok({
      items: recordsIn(answer.value, 'items'),
      resourceVersion: textIn(metadata, 'resourceVersion'),
      continueToken: continueToken === '' ? undefined : continueToken,
    });
  }

  watch(type: ResourceType, options: WatchOptions, signal: AbortSignal): AsyncIterable<KubeResult<WatchEvent>> {
    const times = { silenceMs: options.silenceMs, onOpen: options.onOpen };
    return readWatch(this.#transport.stream(watchPath(type, options), times, signal));
  }

  create(type: ResourceType, object: KubeObject, signal: AbortSignal, dryRun = false): Promise<KubeResult> {
    const path = withQuery(collectionPath(type, nameOf(object).namespace), dryRunQuery(dryRun));
    return this.#object('create', jsonCall('POST', path, object), signal);
  }

  update(type: ResourceType, object: KubeObject, signal: AbortSignal): Promise<KubeResult> {
    return this.#object('update', jsonCall('PUT', objectPath(type, nameOf(object)), object), signal);
  }

  apply(type: ResourceType, object: KubeObject, options: ApplyOptions, signal: AbortSignal): Promise<KubeResult> {
    const path = withQuery(objectPath(type, nameOf(object), options.subresource), {
      fieldManager: options.fieldManager,
      force: String(options.force),
      ...dryRunQuery(options.dryRun ?? false),
    });
    // JSON is YAML, and the only content type that every server takes for an apply says YAML.
    const call = { ...jsonCall('PATCH', path, object), contentType: 'application/apply-patch+yaml' };
    return this.#object('apply', call, signal);
  }

  patch(
    type: ResourceType,
    name: ObjectName,
    patch: readonly JsonPatchStep[],
    signal: AbortSignal,
  ): Promise<KubeResult> {
    const call = {
      ...jsonCall('PATCH', objectPath(type, name), patch),
      contentType: 'application/json-patch+json',
    };
    return this.#object('patch', call, signal);
  }

  async delete(
    type: ResourceType,
    name: ObjectName,
    signal: AbortSignal,
    only?: ObjectVersion,
  ): Promise<KubeResult<void>> {
    const path = objectPath(type, name);
    const options = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: only };
    const call = only === undefined ? { method: 'DELETE' as const, path } : jsonCall('DELETE', path, options);
    const answer = await this.#send('delete', call, signal);
    return answer.ok ? ok(undefined) : answer;
  }

  async #object(verb: string, call: Call, signal: AbortSignal): Promise<KubeResult> {
    const answer = await this.#send(verb, call, signal);
    if (!answer.ok) return answer;
    const value = parseJson(answer.value);
    if (isRecord(value)) return ok(value);
    // A proxy in between, or an answer that was cut where its length was not told.
    return err({
      reason: 'other',
      status: undefined,
      message: 'the answer is no JSON object',
      retryAfterMs: undefined,
    });
  }

  async #send(verb: string, call: Call, signal: AbortSignal): Promise<KubeResult<string>> {
    const answer = await this.#transport.send(call, signal);
    this.#calls.add(1, { verb, outcome: answer.ok ? 'ok' : answer.error.reason });
    return answer;
  }
}

function jsonCall(method: Call['method'], path: string, body: unknown): Call {
  return { method, path, body: JSON.stringify(body), contentType: 'application/json' };
}

function dryRunQuery(dryRun: boolean): { readonly dryRun: string | undefined } {
  return { dryRun: dryRun ? 'All' : undefined };
}
