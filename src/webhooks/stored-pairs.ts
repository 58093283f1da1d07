import type { KubeObject } from '../kube/api.ts';
import { asRecord, textIn } from '../kube/json.ts';
import { certificatesIn, rootIn, type ServingPair } from './serving-pair.ts';

/** What the Secret says: who serves, who will serve next, and the authorities that must be trusted meanwhile. */
export type StoredPairs = {
  readonly current: ServingPair;
  readonly next: ServingPair | undefined;
  readonly bundle: string;
};

const keys = {
  certificate: 'tls.crt',
  key: 'tls.key',
  bundle: 'ca.crt',
  nextCertificate: 'next.crt',
  nextKey: 'next.key',
} as const;

/** Reads a Secret, whatever is in it: what is missing or damaged is an empty text, which no pair is good with. */
export function readSecret(secret: KubeObject): StoredPairs {
  const data = asRecord(secret['data']);
  const decode = (key: string): string => Buffer.from(textIn(data, key), 'base64').toString('utf8');
  const bundle = certificatesIn(decode(keys.bundle)).join('');
  const pair = (certificate: string, key: string): ServingPair => ({
    certificate,
    key,
    roots: rootIn(certificate, bundle) ?? '',
  });
  const nextCertificate = decode(keys.nextCertificate);
  return {
    current: pair(decode(keys.certificate), decode(keys.key)),
    next: nextCertificate === '' ? undefined : pair(nextCertificate, decode(keys.nextKey)),
    bundle,
  };
}

/** The data of the Secret. */
export function writeData({ current, next, bundle }: StoredPairs): KubeObject {
  const texts: Record<string, string> = {
    [keys.certificate]: current.certificate,
    [keys.key]: current.key,
    [keys.bundle]: bundle,
  };
  if (next !== undefined) {
    texts[keys.nextCertificate] = next.certificate;
    texts[keys.nextKey] = next.key;
  }
  return Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]));
}
