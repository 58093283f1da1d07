import type { X509Certificate } from 'node:crypto';
import type { KubeApi, KubeError, KubeObject } from '../../kube/api.ts';
import { asRecord, textIn } from '../../kube/json.ts';
import { certificatesIn } from './pem.ts';
import type { Trouble } from './store.ts';

/** Which roots a mesh trusts, as far as anybody has written it down. */
export type Evidence =
  | {
      readonly kind: 'known';
      /** Told by us, where only who owns the mesh may write: these are trusted, and may stay so. */
      readonly published: readonly X509Certificate[];
      /** In Secrets of workloads: there is a mesh. Whoever owns a namespace may write what he likes there, so none is ever trusted for that. */
      readonly issued: readonly X509Certificate[];
      readonly where: string;
    }
  | ({ readonly kind: 'unknown' } & Trouble);

/** Asks whether there is a mesh already, and what it trusts. */
export type FindEvidence = (signal: AbortSignal) => Promise<Evidence>;

export const noEvidence: FindEvidence = () => Promise.resolve({ kind: 'known', published: [], issued: [], where: '' });

/** Workloads that are enough to know by: all have the same roots, but for those of a rotation. */
const MOST_SECRETS = 20;

/** A bundle of ours has less; another one is work for nothing. */
const MOST_CHARACTERS = 64 * 1024;

const configMaps = { group: '', version: 'v1', plural: 'configmaps' };
const secrets = { group: '', version: 'v1', plural: 'secrets' };

/** What the root ConfigMap of our own namespace says. */
export function evidenceToldIn(kube: Pick<KubeApi, 'get'>, namespace: string): FindEvidence {
  return async (signal) => {
    const told = await readTold(kube, namespace, signal);
    if (told.kind === 'unknown') return told;
    return { kind: 'known', published: distinct([told.bundle]), issued: [], where: told.where };
  };
}

/** A cluster remembers: the root ConfigMap of our own namespace, and the Secrets of workloads, where we give them any. */
export function evidenceIn(
  kube: Pick<KubeApi, 'get' | 'list'>,
  namespace: string,
  listened: readonly string[] = [],
): FindEvidence {
  const places = listened.length === 0 ? [''] : listened;
  return async (signal) => {
    const told = await readTold(kube, namespace, signal);
    if (told.kind === 'unknown') return told;
    const fieldSelector = 'type=istio.io/key-and-cert';
    const issued: KubeObject[] = [];
    for (const place of places) {
      const page = await kube.list(secrets, { namespace: place, limit: MOST_SECRETS, fieldSelector }, signal);
      if (!page.ok) return unknown('list Secrets', page.error);
      issued.push(...page.value.items);
    }
    const where = `${told.where} and ${issued.length} Secrets of workloads`;
    return { kind: 'known', published: distinct([told.bundle]), issued: distinct(issued.map(rootsOf)), where };
  };
}

type Told = { readonly kind: 'told'; readonly bundle: string; readonly where: string };

async function readTold(
  kube: Pick<KubeApi, 'get'>,
  namespace: string,
  signal: AbortSignal,
): Promise<Told | Extract<Evidence, { kind: 'unknown' }>> {
  const answer = await kube.get(configMaps, { namespace, name: 'istio-ca-root-cert' }, signal);
  if (answer.ok) {
    const bundle = textIn(asRecord(answer.value['data']), 'root-cert.pem');
    return { kind: 'told', bundle, where: 'the ConfigMap istio-ca-root-cert' };
  }
  if (answer.error.reason !== 'not-found') return unknown('get ConfigMaps', answer.error);
  return { kind: 'told', bundle: '', where: 'no ConfigMap' };
}

function distinct(bundles: readonly string[]): readonly X509Certificate[] {
  const all = bundles.flatMap((bundle) => certificatesIn(bundle) ?? []);
  return [...new Map(all.map((root) => [root.fingerprint256, root])).values()];
}

function rootsOf(secret: KubeObject): string {
  const text = textIn(asRecord(secret['data']), 'root-cert.pem');
  return text.length > MOST_CHARACTERS ? '' : Buffer.from(text, 'base64').toString('utf8');
}

function unknown(verb: string, { reason, message }: KubeError): Extract<Evidence, { kind: 'unknown' }> {
  const remedy = reason === 'forbidden' ? `allow xebec's service account to ${verb}` : 'nothing; it is tried again';
  return { kind: 'unknown', reason: `cannot tell whether the mesh trusts a root already: ${message}`, remedy };
}
