import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { Hidden } from '../../kit/hidden.ts';
import { err, ok, type Result } from '../../kit/result.ts';
import type { CertificatePair } from '../../model/gateway-secret.ts';
import { blocksOf, readCertificates } from './pem.ts';

/** The texts of a pair with the names by which people know them. */
export type PairTexts = {
  readonly certificate: string;
  readonly key: string;
  readonly names: { readonly certificate: string; readonly key: string };
};

/** The pair, if an Envoy can serve with it. What is wrong is said without a word of what the Secret holds. */
export function judgePair({ certificate, key, names }: PairTexts): Result<CertificatePair, string> {
  const chain = readCertificates(certificate);
  if (!chain.ok) return err(`${names.certificate} ${chain.error}`);
  const privateKey = readKey(key);
  if (!privateKey.ok) return err(`${names.key} ${privateKey.error}`);
  const [own, ...others] = chain.value.certificates;
  if (own === undefined) return err(`${names.certificate} has no CERTIFICATE in PEM`);
  const keyType = serveableType(own.publicKey);
  if (!keyType.ok) return err(`${names.certificate} ${keyType.error}`);
  const { object, pem } = privateKey.value;
  if (!own.checkPrivateKey(object)) return err(mismatch(names, object, others));
  const expiresAt = Math.min(...chain.value.certificates.map(({ validToDate }) => validToDate.getTime()));
  if (Number.isNaN(expiresAt)) return err(`${names.certificate} has a certificate whose end cannot be read`);
  return ok({ certificate: chain.value.pem, key: new Hidden(pem), keyType: keyType.value, expiresAt });
}

function mismatch(names: PairTexts['names'], key: KeyObject, others: readonly X509Certificate[]): string {
  const isMisplaced = others.some((each) => each.checkPrivateKey(key));
  const order = 'the certificate that belongs to the key must be the first of its chain';
  return isMisplaced
    ? `${names.certificate} is in the wrong order: ${order}`
    : `${names.key} is not the key of the certificate in ${names.certificate}`;
}

const keyLabels = ['PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY'];

type ReadKey = { readonly object: KeyObject; readonly pem: string };

function readKey(text: string): Result<ReadKey, string> {
  const found = keyLabels.map((label) => blocksOf(text, label)).find((blocks) => blocks.ok);
  const isEncrypted = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text);
  if (isEncrypted) return err('is encrypted: nobody can ask for its passphrase, so store it without one');
  const pem = found?.ok === true ? found.value[0] : undefined;
  if (pem === undefined) return err('has no PRIVATE KEY in PEM');
  try {
    return ok({ object: createPrivateKey(pem), pem: `${pem}\n` });
  } catch {
    return err('has a key that cannot be read');
  }
}

const curves: readonly unknown[] = ['prime256v1', 'secp384r1', 'secp521r1'];

/** Envoy takes no others, and refuses shorter ones. */
function serveableType({
  asymmetricKeyType: type,
  asymmetricKeyDetails: details = {},
}: KeyObject): Result<'RSA' | 'ECDSA', string> {
  if (type === 'rsa') {
    const length = details.modulusLength ?? 0;
    return length < 2048 ? err(`has an RSA key of ${length} bits: at least 2048 are needed`) : ok('RSA');
  }
  if (type === 'ec' && curves.includes(details.namedCurve)) return ok('ECDSA');
  return err('has a key that Envoy cannot serve with: take RSA (2048 bits or more) or ECDSA (P-256, P-384, P-521)');
}
