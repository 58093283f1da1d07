import type { KubeObject } from '../../kube/api.ts';
import { asRecord } from '../../kube/json.ts';
import { type Account, secretNameOf } from './account.ts';
import { ACCOUNT_ANNOTATION, annotationsOf, isAccount, ownersOf, SECRET_KIND } from './judge-secret.ts';

type Files = Readonly<Record<string, string>>;

/** A Secret as Citadel makes it. It goes with its account. */
export function newSecret(account: Account, files: Files): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: secretNameOf(account.name),
      namespace: account.namespace,
      annotations: { [ACCOUNT_ANNOTATION]: account.name },
      ownerReferences: [ownerOf(account)],
    },
    type: SECRET_KIND,
    data: encode(files),
  };
}

/** A Secret put right. What others added to it stays. */
export function rewrittenSecret(secret: KubeObject, account: Account, files: Files): KubeObject {
  const others = ownersOf(secret).filter((owner) => !isAccount(owner));
  return {
    ...secret,
    metadata: {
      ...asRecord(secret['metadata']),
      annotations: { ...annotationsOf(secret), [ACCOUNT_ANNOTATION]: account.name },
      ownerReferences: [...others, ownerOf(account)],
    },
    data: { ...asRecord(secret['data']), ...encode(files) },
  };
}

/** The same in the place of one that cannot be changed: what others added to it stays, except that it is immutable. */
export function replacingSecret(secret: KubeObject, account: Account, files: Files): KubeObject {
  const { metadata, immutable: _, ...rest } = rewrittenSecret(secret, account, files);
  const { name, namespace, labels, annotations, ownerReferences } = asRecord(metadata);
  return {
    ...rest,
    metadata: { name, namespace, ...(labels === undefined ? {} : { labels }), annotations, ownerReferences },
  };
}

function ownerOf({ name, uid }: Account): KubeObject {
  return { apiVersion: 'v1', kind: 'ServiceAccount', name, uid };
}

function encode(files: Files): KubeObject {
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [name, Buffer.from(text).toString('base64')]));
}
