import { createPublicKey } from 'node:crypto';
import {
  type Claims,
  ecKey,
  encode,
  hmacToken,
  type IssuerKey,
  jwksOf,
  rsaKey,
  secondsFromNow,
  signToken,
  token,
} from './tokens.ts';

export type TokenCase = { readonly name: string; readonly token: string };

/** An issuer with a key of each type, of which everybody knows the public halves. */
export type Victim = {
  readonly issuer: string;
  readonly audience: string;
  readonly rsa: IssuerKey;
  readonly ec: IssuerKey;
  readonly ed: IssuerKey;
};

/** What the issuer itself made and means. */
export function validTokens({ issuer, audience, rsa, ec, ed }: Victim): readonly TokenCase[] {
  const claims = { iss: issuer, aud: audience, sub: 'alice' };
  const cases: Readonly<Record<string, string>> = {
    RS256: token(rsa, claims),
    ES256: token(ec, claims),
    EdDSA: token(ed, claims),
    'without kid': token(rsa, claims, { kid: undefined }),
    'several audiences': token(rsa, { ...claims, aud: ['other', audience] }),
    'expired within the tolerance of a minute': token(rsa, { ...claims, exp: secondsFromNow(-20) }),
  };
  return namedCases('valid', cases);
}

/** What nobody may get in with. */
export function hostileTokens(victim: Victim): readonly TokenCase[] {
  return [
    ...unsigned(victim),
    ...confused(victim),
    ...otherKeys(victim),
    ...namedKeys(victim),
    ...wrongTimes(victim),
    ...wrongIssuers(victim),
    ...wrongAudiences(victim),
    ...malformed(victim),
    ...tampered(victim),
  ];
}

function namedCases(group: string, cases: Readonly<Record<string, string>>): readonly TokenCase[] {
  return Object.entries(cases).map(([name, text]) => ({ name: `${group}: ${name}`, token: text }));
}

function claimsOf({ issuer, audience }: Victim): Claims {
  return { iss: issuer, aud: audience, sub: 'mallory', exp: secondsFromNow(600) };
}

function unsigned(victim: Victim): readonly TokenCase[] {
  const body = encode(claimsOf(victim));
  const signature = token(victim.rsa, claimsOf(victim)).split('.')[2] ?? '';
  const algorithms: readonly unknown[] = ['none', 'None', 'NONE', 'nOnE', '', null, 0, undefined, ['RS256'], 'RS0'];
  return algorithms.flatMap((alg) => {
    const head = `${encode({ alg, typ: 'JWT' })}.${body}`;
    return namedCases(`alg ${JSON.stringify(alg) ?? 'missing'}`, {
      'no signature': `${head}.`,
      'a foreign signature': `${head}.${signature}`,
    });
  });
}

/** A public key is no secret. */
function confused(victim: Victim): readonly TokenCase[] {
  const { rsa, ec } = victim;
  const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const secrets: Readonly<Record<string, string | Buffer>> = {
    pem,
    'pem without its last newline': pem.trimEnd(),
    'pkcs1 pem': rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
    der: rsa.publicKey.export({ type: 'spki', format: 'der' }),
    'the set of keys': jwksOf([rsa]),
    'the modulus': String(rsa.publicKey.export({ format: 'jwk' }).n),
    'ec pem': ec.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    nothing: '',
  };
  return Object.entries(secrets).flatMap(([name, secret]) =>
    ['HS256', 'HS384', 'HS512'].map((alg) => ({
      name: `HS confusion: ${alg} with ${name}`,
      token: hmacToken(secret, { alg, kid: rsa.kid, typ: 'JWT' }, claimsOf(victim)),
    })),
  );
}

/** Keys that the token brings along, or names. */
function otherKeys(victim: Victim): readonly TokenCase[] {
  const { rsa, ec } = victim;
  const mine = { ...rsaKey(rsa.kid), kid: rsa.kid };
  const myCurve = { ...ecKey(ec.kid), kid: ec.kid };
  const claims = claimsOf(victim);
  const jwk = createPublicKey(mine.privateKey).export({ format: 'jwk' });
  return namedCases('another key', {
    'the same kid': token(mine, claims),
    'the same kid, EC': token(myCurve, claims),
    'no kid': token(mine, claims, { kid: undefined }),
    'embedded jwk': token(mine, claims, { jwk }),
    'embedded jwk without kid': token(mine, claims, { jwk, kid: undefined }),
    jku: token(mine, claims, { jku: 'https://evil.example.com/keys' }),
    x5u: token(mine, claims, { x5u: 'https://evil.example.com/chain.pem' }),
    x5c: token(mine, claims, { x5c: [mine.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')] }),
    'RS256 said of an EC signature': token(ec, claims, { alg: 'RS256', kid: rsa.kid }),
    'ES256 said of an RSA signature': token(rsa, claims, { alg: 'ES256', kid: ec.kid }),
    'EdDSA said of an EC signature': token(ec, claims, { alg: 'EdDSA', kid: victim.ed.kid }),
    'RS512 said of RS256': token(rsa, claims, { alg: 'RS512' }),
    'PS256 said of RS256': token(rsa, claims, { alg: 'PS256' }),
    'ES384 said of ES256': token(ec, claims, { alg: 'ES384' }),
    'zeros for a signature': `${signToken(ec, { alg: 'ES256', kid: ec.kid }, claims).split('.').slice(0, 2).join('.')}.${Buffer.alloc(64).toString('base64url')}`,
  });
}

function namedKeys(victim: Victim): readonly TokenCase[] {
  const mine = rsaKey('mine');
  const kids: Readonly<Record<string, unknown>> = {
    unknown: 'mine',
    'a path': '../../../../dev/null',
    'a query': "x' UNION SELECT 'secret",
    'a url': 'https://evil.example.com/key',
    'a number': 1,
    'a list': [victim.rsa.kid],
    'an object': { kid: victim.rsa.kid },
    'very long': 'k'.repeat(4_000),
    'with NUL': `${victim.rsa.kid}\u0000`,
  };
  return Object.entries(kids).map(([name, kid]) => ({
    name: `kid: ${name}`,
    token: token(mine, claimsOf(victim), { kid }),
  }));
}

function wrongTimes(victim: Victim): readonly TokenCase[] {
  const times: Readonly<Record<string, Claims>> = {
    expired: { exp: secondsFromNow(-600) },
    'expired just beyond the tolerance': { exp: secondsFromNow(-75) },
    'expired long ago': { exp: 1 },
    'exp below zero': { exp: -1 },
    'exp as text': { exp: 'tomorrow' },
    'exp as text of a number': { exp: String(secondsFromNow(600)) },
    'exp as a list': { exp: [secondsFromNow(600)] },
    'nbf to come': { nbf: secondsFromNow(600) },
    'nbf as text': { nbf: 'yesterday' },
    'nbf below zero': { nbf: -5 },
  };
  return Object.entries(times).map(([name, more]) => ({
    name: `time: ${name}`,
    token: token(victim.rsa, { ...claimsOf(victim), ...more }),
  }));
}

function wrongIssuers(victim: Victim): readonly TokenCase[] {
  const { issuer } = victim;
  const issuers: Readonly<Record<string, unknown>> = {
    missing: undefined,
    empty: '',
    unknown: 'https://unknown.example.com',
    'in capitals': issuer.toUpperCase(),
    'with a slash more': `${issuer}/`,
    'with a space more': `${issuer} `,
    'as a prefix': `${issuer}.evil.example.com`,
    'in a list': [issuer],
    'a number': 7,
    null: null,
  };
  return Object.entries(issuers).map(([name, iss]) => ({
    name: `issuer: ${name}`,
    token: token(victim.rsa, { ...claimsOf(victim), iss }),
  }));
}

function wrongAudiences(victim: Victim): readonly TokenCase[] {
  const { audience } = victim;
  const audiences: Readonly<Record<string, unknown>> = {
    missing: undefined,
    empty: '',
    other: 'other',
    'none in the list': [],
    'others in the list': ['other', 'another'],
    'a part': audience.slice(0, -1),
    longer: `${audience}x`,
    'in capitals': audience.toUpperCase(),
    'a number': 1,
    'an object': { aud: audience },
    'a list in a list': [[audience]],
  };
  return Object.entries(audiences).map(([name, aud]) => ({
    name: `audience: ${name}`,
    token: token(victim.rsa, { ...claimsOf(victim), aud }),
  }));
}

function malformed(victim: Victim): readonly TokenCase[] {
  const { rsa } = victim;
  const [head = '', body = '', signature = ''] = token(rsa, claimsOf(victim)).split('.');
  return namedCases('form', {
    'one part': head,
    'two parts': `${head}.${body}`,
    'four parts': `${head}.${body}.${signature}.${signature}`,
    'five parts': `${head}..${body}.${signature}.${signature}`,
    'no head': `.${body}.${signature}`,
    'no body': `${head}..${signature}`,
    'no signature': `${head}.${body}.`,
    'a body that is no JSON': token(rsa, 'iss'),
    'a body that is a list': token(rsa, JSON.stringify([claimsOf(victim)])),
    'a head that is no JSON': `${encode('RS256')}.${body}.${signature}`,
    'a head that is a list': `${encode('["RS256"]')}.${body}.${signature}`,
    padding: `${head}=.${body}.${signature}`,
    'bytes that are no text': `${Buffer.from([0xff, 0xfe]).toString('base64url')}.${body}.${signature}`,
    'two tokens': `${head}.${body}.${signature},${head}.${body}.${signature}`,
    'fifty thousand characters': `${head}.${'A'.repeat(50_000)}.${signature}`,
  });
}

function tampered(victim: Victim): readonly TokenCase[] {
  const { rsa, issuer, audience } = victim;
  const [head = '', body = '', signature = ''] = token(rsa, { iss: issuer, aud: audience, sub: 'alice' }).split('.');
  const bytes = Buffer.from(signature, 'base64url');
  const flipped = [0, 1, 31, 64, 128, 200, 255].map((at) => {
    const copy = Buffer.from(bytes);
    copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
    return { name: `tampered: byte ${at} of the signature`, token: `${head}.${body}.${copy.toString('base64url')}` };
  });
  return [
    ...flipped,
    ...namedCases('tampered', {
      'another subject': `${head}.${encode({ iss: issuer, aud: audience, sub: 'root', exp: secondsFromNow(600) })}.${signature}`,
      'a signature cut short': `${head}.${body}.${signature.slice(0, -8)}`,
      'a signature that goes on': `${head}.${body}.${Buffer.concat([bytes, bytes]).toString('base64url')}`,
      'another head': `${encode({ alg: 'RS256', kid: rsa.kid, typ: 'JWT', x: 1 })}.${body}.${signature}`,
    }),
  ];
}
