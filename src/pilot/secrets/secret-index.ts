import { sameFields } from '../../kit/memo.ts';
import {
  type CertificatePair,
  type ClientAuthority,
  type GatewaySecret,
  noSecrets,
  type SecretBook,
  type SecretPart,
} from '../../model/gateway-secret.ts';
import type { ConfigObject } from '../../model/object.ts';
import { judgeSecret } from './judge-secret.ts';

/**
 * What gateways can serve with, from change to change. Of a Secret that turned bad, the last good version stays in force, as that of any
 * object does: whoever breaks it while renewing it keeps the certificate from before.
 */
export class SecretIndex {
  #objects: readonly ConfigObject<'Secret'>[] = [];
  #book: SecretBook = noSecrets;
  readonly #judged = new Map<string, GatewaySecret>();

  update(objects: readonly ConfigObject<'Secret'>[]): SecretBook {
    if (objects === this.#objects) return this.#book;
    this.#objects = objects;
    const next = new Map(objects.map((object) => this.#entryOf(object)));
    for (const key of this.#judged.keys()) if (!next.has(key)) this.#judged.delete(key);
    const isSame = next.size === this.#book.size && [...next].every(([key, secret]) => this.#book.get(key) === secret);
    if (!isSame) this.#book = next;
    return this.#book;
  }

  #entryOf(object: ConfigObject<'Secret'>): readonly [string, GatewaySecret] {
    const key = `${object.meta.namespace}/${object.meta.name}`;
    const judged = judgeSecret(object);
    const before = this.#book.get(key);
    if (before !== undefined && this.#judged.get(key) === judged) return [key, before];
    this.#judged.set(key, judged);
    return [key, before === undefined ? judged : follow(before, judged)];
  }
}

function follow(before: GatewaySecret, judged: GatewaySecret): GatewaySecret {
  return {
    ...judged,
    pair: followPart(before.pair, judged.pair, samePair),
    authority: followPart(before.authority, judged.authority, sameAuthority),
  };
}

function followPart<T>(
  before: SecretPart<T>,
  { value, problem }: SecretPart<T>,
  isSame: (a: T, b: T) => boolean,
): SecretPart<T> {
  const known = before.value;
  const isKept = known !== undefined && (problem !== undefined || (value !== undefined && isSame(known, value)));
  const next = { value: isKept ? known : value, problem };
  return sameFields(before, next) ? before : next;
}

function samePair(a: CertificatePair, b: CertificatePair): boolean {
  return a.certificate === b.certificate && a.key.reveal() === b.key.reveal();
}

function sameAuthority(a: ClientAuthority, b: ClientAuthority): boolean {
  return a.certificates === b.certificates && a.revocations === b.revocations;
}
