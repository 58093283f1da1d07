import { createHmac, generateKeyPairSync, type KeyObject, sign as signBytes } from 'node:crypto';

/** A pair of keys as an issuer has it. */
export type IssuerKey = {
  readonly kid: string;
  readonly alg: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
};

export type Claims = Readonly<Record<string, unknown>>;

export function rsaKey(kid: string, modulusLength = 2048): IssuerKey {
  return { kid, alg: 'RS256', ...generateKeyPairSync('rsa', { modulusLength }) };
}

export function ecKey(kid: string): IssuerKey {
  return { kid, alg: 'ES256', ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
}

export function edKey(kid: string): IssuerKey {
  return { kid, alg: 'EdDSA', ...generateKeyPairSync('ed25519') };
}

/** The public halves as issuers publish them; some say what each is for. */
export function jwksOf(keys: readonly IssuerKey[], { algorithms = false } = {}): string {
  const published = keys.map(({ kid, alg, publicKey }) => {
    return { ...publicKey.export({ format: 'jwk' }), kid, ...(algorithms ? { alg } : {}) };
  });
  return JSON.stringify({ keys: published });
}

/** `seconds` from now, as tokens count time. */
export function secondsFromNow(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds;
}

/** A token with these claims and a usual header; text in the place of claims is taken as it is. */
export function token(key: IssuerKey, claims: Claims | string, header: Claims = {}): string {
  const body = typeof claims === 'string' ? claims : { exp: secondsFromNow(600), ...claims };
  return signToken(key, { alg: key.alg, kid: key.kid, typ: 'JWT', ...header }, body);
}

export function signToken(key: IssuerKey, header: Claims | string, body: Claims | string): string {
  const input = `${encode(header)}.${encode(body)}`;
  return `${input}.${signatureOf(key, input)}`;
}

/** A token whose signature is made with a secret, as with HS256. */
export function hmacToken(secret: string | Buffer, header: Claims, claims: Claims): string {
  const input = `${encode(header)}.${encode({ exp: secondsFromNow(600), ...claims })}`;
  const hash = `sha${String(header['alg']).slice(2)}`;
  return `${input}.${createHmac(hash, secret).update(input).digest('base64url')}`;
}

export function encode(part: Claims | string): string {
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
}

function signatureOf({ privateKey, alg }: IssuerKey, input: string): string {
  const bytes = Buffer.from(input);
  if (alg === 'EdDSA') return signBytes(null, bytes, privateKey).toString('base64url');
  const key = alg === 'ES256' ? { key: privateKey, dsaEncoding: 'ieee-p1363' as const } : privateKey;
  return signBytes('sha256', bytes, key).toString('base64url');
}
