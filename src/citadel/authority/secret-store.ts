import type { KubeApi, KubeError, KubeObject, ResourceType } from '../../kube/api.ts';
import { asRecord, resourceVersionOf, textIn } from '../../kube/json.ts';
import type { Reflect } from '../../kube/reflection.ts';
import type { AuthorityFiles } from './files.ts';
import type { AuthorityRequests, AuthorityStore, Reading, Stored, Trouble, Writing } from './store.ts';

export type SecretStoreDeps = {
  readonly kube: Pick<KubeApi, 'get' | 'create' | 'update'>;
  readonly reflect: Reflect;
  readonly namespace: string;
  readonly secret: string;
};

export const ROTATE_ANNOTATION = 'ca.xebec.dev/rotate';
export const ACCEPT_ANNOTATION = 'ca.xebec.dev/accept-root';

const secrets: ResourceType = { group: '', version: 'v1', plural: 'secrets' };

/**
 * An authority in a Secret. What is read is what the API server has; the watch only says when, so that nothing older than what
 * was written is ever taken for it.
 */
export class SecretStore implements AuthorityStore {
  readonly name: string;
  readonly isLasting = true;
  readonly #deps: SecretStoreDeps;
  #last: { readonly version: string; readonly stored: Stored } | undefined;

  constructor(deps: SecretStoreDeps) {
    this.#deps = deps;
    this.name = `Secret ${deps.namespace}/${deps.secret}`;
  }

  async read(signal: AbortSignal): Promise<Reading> {
    const { kube, namespace, secret } = this.#deps;
    const answer = await kube.get(secrets, { namespace, name: secret }, signal);
    if (answer.ok) return { kind: 'found', stored: this.#storedOf(answer.value) };
    return answer.error.reason === 'not-found'
      ? { kind: 'absent' }
      : { kind: 'unreadable', ...this.#trouble('get', answer.error) };
  }

  async watch(onChange: () => void, signal: AbortSignal): Promise<void> {
    const { reflect, namespace, secret } = this.#deps;
    const reflector = reflect<true>({
      type: secrets,
      namespace,
      selectors: { fieldSelector: `metadata.name=${secret}` },
      project: () => true,
      keyOf: () => secret,
      onChange,
      onSynced: onChange,
      // Without a watch it is read now and then, and who may not watch may mostly not read either, which is told there.
      onState: () => undefined,
    });
    await reflector.run(signal);
  }

  async create(files: AuthorityFiles, signal: AbortSignal): Promise<Writing> {
    const { kube, namespace, secret } = this.#deps;
    const object = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: secret, namespace },
      type: 'istio.io/ca-root',
      data: encode(files),
    };
    const created = await kube.create(secrets, object, signal);
    if (created.ok) return { kind: 'written' };
    return created.error.reason === 'already-exists'
      ? { kind: 'overtaken' }
      : { kind: 'failed', ...this.#trouble('create', created.error) };
  }

  async update({ token }: Stored, files: AuthorityFiles, signal: AbortSignal): Promise<Writing> {
    const secret = withoutAcceptance(asRecord(token));
    const updated = await this.#deps.kube.update(secrets, { ...secret, data: encode(files) }, signal);
    if (updated.ok) return { kind: 'written' };
    const { reason } = updated.error;
    return reason === 'conflict' || reason === 'not-found'
      ? { kind: 'overtaken' }
      : { kind: 'failed', ...this.#trouble('update', updated.error) };
  }

  /** The same object for the same version, so that it is judged once. */
  #storedOf(secret: KubeObject): Stored {
    const version = resourceVersionOf(secret);
    const stored = this.#last?.version === version ? this.#last.stored : storedOf(secret);
    this.#last = { version, stored };
    return stored;
  }

  #trouble(verb: string, { reason, message }: KubeError): Trouble {
    const { namespace, secret } = this.#deps;
    const remedy =
      reason === 'forbidden'
        ? `allow xebec's service account to ${verb} the Secret ${secret} in the namespace ${namespace}`
        : 'nothing; it is tried again';
    return { reason: `cannot ${verb} the ${this.name}: ${message}`, remedy };
  }
}

function storedOf(secret: KubeObject): Stored {
  const data = asRecord(secret['data']);
  const files = Object.keys(data).map((key) => [key, Buffer.from(textIn(data, key), 'base64').toString('utf8')]);
  return { files: Object.fromEntries(files) as AuthorityFiles, requests: requestsOf(secret), token: secret };
}

function requestsOf(secret: KubeObject): AuthorityRequests {
  const annotations = asRecord(asRecord(secret['metadata'])['annotations']);
  return {
    rotate: textIn(annotations, ROTATE_ANNOTATION),
    accept: textIn(annotations, ACCEPT_ANNOTATION) === 'true',
  };
}

/** What a person accepted is what was there: the next one to be put there is to be accepted anew. */
function withoutAcceptance(secret: KubeObject): KubeObject {
  const metadata = asRecord(secret['metadata']);
  const { [ACCEPT_ANNOTATION]: _, ...annotations } = asRecord(metadata['annotations']);
  return { ...secret, metadata: { ...metadata, annotations } };
}

function encode(files: AuthorityFiles): KubeObject {
  return Object.fromEntries(Object.entries(files).map(([key, text]) => [key, Buffer.from(text).toString('base64')]));
}
