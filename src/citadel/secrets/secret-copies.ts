import type { Runnable } from '../../kit/run-group.ts';
import type { ResourceType } from '../../kube/api.ts';
import { asRecord, nameOf, resourceVersionOf, textIn } from '../../kube/json.ts';
import type { Reflect, Reflection } from '../../kube/reflection.ts';
import { isNewerVersion } from '../../kube/resource-version.ts';
import type { Logger } from '../../telemetry/logger.ts';
import {
  type Account,
  accountKey,
  accountOfSecret,
  accountType,
  namespaceType,
  readAccount,
  secretType,
} from './account.ts';
import { SECRET_KIND } from './judge-secret.ts';
import { type NamespaceFacts, readNamespace, sameNamespace } from './namespaces.ts';
import { WatchTroubles } from './watch-troubles.ts';

/** All that is kept of a Secret: which version it is, and that this version was found good. Nothing of what is in it. */
export type HeldSecret = {
  readonly version: string;
  readonly uid: string;
  readonly found: GoodFinding | undefined;
};

export type GoodFinding = {
  /** Of the authority it was judged by. */
  readonly fingerprint: string;
  readonly accountUid: string;
  readonly renewAt: number;
};

export type SecretCopiesDeps = {
  readonly reflect: Reflect;
  /** Only these namespaces; none means all. */
  readonly listened: readonly string[];
  /** Something about an account, or its Secret, is another. */
  readonly touch: (key: string) => void;
  /** Called once everything that exists is known. */
  readonly onSynced: () => void;
  readonly log: Logger;
};

type SecretNote = { readonly key: string; readonly version: string; readonly uid: string };

/** What there is of namespaces, service accounts and Citadel's Secrets, as far as it has been told. */
export class SecretCopies {
  readonly namespaces = new Map<string, NamespaceFacts>();
  readonly accounts = new Map<string, Account>();
  readonly #secrets = new Map<string, HeldSecret>();
  /** Accounts whose Secret was taken away. */
  readonly #lost = new Set<string>();
  readonly #deps: SecretCopiesDeps;
  /** What has not been read yet. */
  readonly #missing = new Set<ResourceType>();
  readonly #troubles: WatchTroubles;

  constructor(deps: SecretCopiesDeps) {
    this.#deps = deps;
    this.#troubles = new WatchTroubles(deps.log, 'identities cannot be kept up to date');
  }

  get isSynced(): boolean {
    return this.#missing.size === 0;
  }

  reflections(): readonly Runnable[] {
    const scopes = this.#deps.listened.length === 0 ? [''] : this.#deps.listened;
    return [
      this.#ofNamespaces(),
      ...scopes.flatMap((namespace) => [this.#ofAccounts(namespace), this.#ofSecrets(namespace)]),
    ];
  }

  /** Everything that may have to be looked at. */
  keys(): Iterable<string> {
    return new Set([...this.accounts.keys(), ...this.#secrets.keys()]);
  }

  held(key: string): HeldSecret | undefined {
    return this.#secrets.get(key);
  }

  /** A Secret as it was read, or as we wrote it: what a watch tells is later. */
  take(key: string, held: HeldSecret): void {
    this.#lost.delete(key);
    this.#secrets.set(key, held);
  }

  drop(key: string): void {
    this.#secrets.delete(key);
  }

  /** Whether the Secret of this account was taken away; asked once. */
  wasLost(key: string): boolean {
    return this.#lost.delete(key);
  }

  #ofNamespaces(): Runnable {
    return this.#reflect<NamespaceFacts>({
      type: namespaceType,
      namespace: '',
      selectors: {},
      project: readNamespace,
      keyOf: (object) => nameOf(object).name,
      onChange: ({ upserts, deletes }) => {
        const moved = upserts.filter((facts) => !sameNamespace(facts, this.namespaces.get(facts.name)));
        for (const facts of upserts) this.namespaces.set(facts.name, facts);
        for (const name of deletes) this.namespaces.delete(name);
        const names = new Set(moved.map(({ name }) => name));
        if (names.size === 0 || !this.isSynced) return;
        for (const key of this.keys()) if (names.has(key.slice(0, key.indexOf('/')))) this.#deps.touch(key);
      },
    });
  }

  #ofAccounts(namespace: string): Runnable {
    return this.#reflect<Account>({
      type: { ...accountType },
      namespace,
      selectors: {},
      project: readAccount,
      keyOf: (object) => accountKey(nameOf(object)),
      onChange: ({ upserts, deletes }) => {
        for (const account of upserts) {
          const key = accountKey(account);
          const isNew = this.accounts.get(key)?.uid !== account.uid;
          this.accounts.set(key, account);
          if (isNew) this.#touch(key);
        }
        for (const key of deletes) {
          this.accounts.delete(key);
          this.#lost.delete(key);
          this.#touch(key);
        }
      },
    });
  }

  #ofSecrets(namespace: string): Runnable {
    return this.#reflect<SecretNote>({
      type: { ...secretType },
      namespace,
      selectors: { fieldSelector: `type=${SECRET_KIND}` },
      project: (secret) => {
        const key = keyOfSecret(nameOf(secret));
        const uid = textIn(asRecord(secret['metadata']), 'uid');
        return key === undefined ? undefined : { key, version: resourceVersionOf(secret), uid };
      },
      // Two Secrets must not have one key, be one of them of no interest.
      keyOf: (secret) => accountKey(nameOf(secret)),
      onChange: ({ upserts, deletes }) => {
        for (const note of upserts) this.#see(note);
        for (const secret of deletes) this.#lose(secret);
      },
    });
  }

  #see({ key, version, uid }: SecretNote): void {
    const known = this.#secrets.get(key);
    // Of our own writes, and from before them, a watch tells nothing new.
    if (known?.version === version) return;
    if (known !== undefined && version !== '' && isNewerVersion(known.version, version)) return;
    this.#secrets.set(key, { version, uid, found: undefined });
    this.#touch(key);
  }

  #lose(secret: string): void {
    const cut = secret.indexOf('/');
    const key = keyOfSecret({ namespace: secret.slice(0, cut), name: secret.slice(cut + 1) });
    if (key === undefined) return;
    this.#secrets.delete(key);
    if (this.accounts.has(key)) this.#lost.add(key);
    this.#touch(key);
  }

  #touch(key: string): void {
    if (this.isSynced) this.#deps.touch(key);
  }

  #reflect<T>(reflection: Omit<Reflection<T>, 'onSynced' | 'onState'>): Runnable {
    const { type, namespace } = reflection;
    const resource = namespace === '' ? type.plural : `${type.plural} in ${namespace}`;
    this.#missing.add(type);
    return this.#deps.reflect<T>({
      ...reflection,
      onSynced: () => {
        if (this.#missing.delete(type) && this.isSynced) this.#deps.onSynced();
      },
      onState: (state) => this.#troubles.judge(resource, state),
    });
  }
}

function keyOfSecret({ namespace, name }: { readonly namespace: string; readonly name: string }): string | undefined {
  const account = accountOfSecret(name);
  return account === undefined ? undefined : accountKey({ namespace, name: account });
}
