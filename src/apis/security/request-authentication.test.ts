import { describe, expect, it } from 'vitest';
import { type Case, judgeInWords } from '../testing/judge.ts';

const issuer = 'https://a.com';
const key = { kty: 'RSA', n: 'AQAB', e: 'AQAB' };

function rule(members: object): object {
  return { jwtRules: [{ issuer, ...members }] };
}

function keys(...list: readonly object[]): object {
  return rule({ jwks: JSON.stringify({ keys: list }) });
}

const cases: readonly Case[] = [
  [
    'everything',
    {
      selector: { matchLabels: { app: 'a' } },
      ...rule({
        audiences: ['a'],
        jwksUri: 'https://a.com/keys',
        fromHeaders: [{ name: 'x-jwt', prefix: 'Bearer ' }],
        fromParams: ['t'],
        fromCookies: ['c'],
        outputPayloadToHeader: 'x-payload',
        outputClaimToHeaders: [{ header: 'x-sub', claim: 'sub' }],
        forwardOriginalToken: true,
        timeout: '5s',
        spaceDelimitedClaims: ['scope'],
      }),
    },
  ],
  ['an issuer at which keys are found', rule({})],
  [
    'a gateway as target',
    { targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'a' }], ...rule({}) },
  ],
  [
    'a target that has no proxy of its own',
    { targetRefs: [{ kind: 'Service', name: 'a' }], ...rule({}) },
    'warning XEB0118 spec.targetRefs[0].kind: is not looked at (got text "Service"); name a Gateway, or use selector',
  ],
  [
    'no rules',
    { selector: { matchLabels: { app: 'a' } } },
    'warning XEB0118 spec.jwtRules: is empty, so no token is looked at; add a rule',
  ],
  [
    'a selector and a target',
    { selector: { matchLabels: { app: 'a' } }, targetRef: { kind: 'Service', name: 'a' }, ...rule({}) },
    'error XEB0705 spec.targetRef: cannot stand beside selector; keep one of them',
  ],
  [
    'a target of another kind',
    { targetRefs: [{ group: 'apps', kind: 'Deployment', name: 'a' }], ...rule({}) },
    'error XEB0705 spec.targetRefs[0].kind: cannot be a target (got text "apps/Deployment", allowed core/Service, networking.istio.io/ServiceEntry, gateway.networking.k8s.io/Gateway, gateway.networking.k8s.io/GatewayClass)',
  ],
  [
    'no issuer',
    { jwtRules: [{ jwksUri: 'https://a.com' }] },
    'error XEB0002 spec.jwtRules[0].issuer: is required and missing; add it',
  ],
  [
    'an empty issuer',
    { jwtRules: [{ issuer: '', jwksUri: 'https://a.com' }] },
    'error XEB0331 spec.jwtRules[0].issuer: is empty; name the issuer',
  ],
  [
    'an issuer without keys',
    { jwtRules: [{ issuer: 'me@a.com' }] },
    'warning XEB0332 spec.jwtRules[0].issuer: is no URL at which keys could be found (got text "me@a.com"); give jwksUri or jwks',
  ],
  [
    'an empty audience',
    rule({ audiences: ['a', ''] }),
    'error XEB0334 spec.jwtRules[0].audiences[1]: is empty; name the audience',
  ],
  [
    'an empty parameter',
    rule({ fromParams: [''] }),
    'error XEB0334 spec.jwtRules[0].fromParams[0]: is empty; name the parameter',
  ],
  [
    'an empty cookie',
    rule({ fromCookies: [''] }),
    'error XEB0334 spec.jwtRules[0].fromCookies[0]: is empty; name the cookie',
  ],
  [
    'an empty claim that is a list',
    rule({ spaceDelimitedClaims: [''] }),
    'error XEB0334 spec.jwtRules[0].spaceDelimitedClaims[0]: is empty; name the claim',
  ],
  [
    'a header without name',
    rule({ fromHeaders: [{ prefix: 'a' }] }),
    'error XEB0002 spec.jwtRules[0].fromHeaders[0].name: is required and missing; add it',
  ],
  [
    'a header with an empty name',
    rule({ fromHeaders: [{ name: '' }] }),
    'error XEB0334 spec.jwtRules[0].fromHeaders[0].name: is empty; name the header',
  ],
  [
    'a header with a bad name',
    rule({ fromHeaders: [{ name: 'a b' }] }),
    'warning XEB0113 spec.jwtRules[0].fromHeaders[0].name: is not a header name (got text "a b", allowed letters, digits, - and _)',
  ],
  [
    'a claim without header',
    rule({ outputClaimToHeaders: [{ header: '', claim: 'a' }] }),
    'error XEB0334 spec.jwtRules[0].outputClaimToHeaders[0].header: is empty; name the header',
  ],
  [
    'a header without claim',
    rule({ outputClaimToHeaders: [{ header: 'a', claim: '' }] }),
    'error XEB0334 spec.jwtRules[0].outputClaimToHeaders[0].claim: is empty; name the claim',
  ],
  [
    'a claim to a bad header',
    rule({ outputClaimToHeaders: [{ header: ':path', claim: 'a' }] }),
    'error XEB0113 spec.jwtRules[0].outputClaimToHeaders[0].header: is not a header name (got text ":path", allowed letters, digits, - and _)',
  ],
  [
    'a payload to a bad header',
    rule({ outputPayloadToHeader: 'a b' }),
    'warning XEB0113 spec.jwtRules[0].outputPayloadToHeader: is not a header name (got text "a b", allowed letters, digits, - and _)',
  ],
  [
    'a time-out of nothing',
    rule({ timeout: '0s' }),
    'error XEB0109 spec.jwtRules[0].timeout: is not usable (got text "0s", allowed 1ms or more, in whole milliseconds)',
  ],
  [
    'a time-out that is none',
    rule({ timeout: 'apple' }),
    'error XEB0004 spec.jwtRules[0].timeout: is not a duration (got text "apple", allowed a number with a unit, such as 100ms, 1.5s or 1m30s)',
  ],
];

const addresses: readonly Case[] = [
  ['https', rule({ jwksUri: 'https://a.com' })],
  ['http with a port and a path', rule({ jwksUri: 'http://a.com:8080/keys?x=1' })],
  ['an IPv6 address', rule({ jwksUri: 'https://[::1]:8443/keys' })],
  ['the old spelling', rule({ jwks_uri: 'https://a.com' })],
  [
    'both spellings',
    rule({ jwksUri: 'https://a.com', jwks_uri: 'https://a.com' }),
    'error XEB0012 spec.jwtRules[0].jwks_uri: is the same field as jwksUri, which is given as well; keep one of them',
  ],
  [
    'no scheme',
    rule({ jwksUri: 'a.com/keys' }),
    'error XEB0332 spec.jwtRules[0].jwksUri: is not an address of keys (got text "a.com/keys", allowed http://host/path or https://host/path)',
  ],
  [
    'another scheme',
    rule({ jwksUri: 'file:///keys' }),
    'error XEB0332 spec.jwtRules[0].jwksUri: is not an address of keys (got text "file:///keys", allowed http://host/path or https://host/path)',
  ],
  [
    'the old spelling of another scheme',
    rule({ jwks_uri: 'ftp://a.com' }),
    'error XEB0332 spec.jwtRules[0].jwks_uri: is not an address of keys (got text "ftp://a.com", allowed http://host/path or https://host/path)',
  ],
  [
    'a backslash',
    rule({ jwksUri: 'https:\\\\a.com' }),
    'error XEB0332 spec.jwtRules[0].jwksUri: is not an address of keys (got text "https:\\\\\\\\a.com", allowed http://host/path or https://host/path)',
  ],
  [
    'a port that is none',
    rule({ jwksUri: 'https://a.com:http/keys' }),
    'error XEB0332 spec.jwtRules[0].jwksUri: is not an address of keys (got text "https://a.com:http/keys", allowed http://host/path or https://host/path)',
  ],
  [
    'a port out of range',
    rule({ jwksUri: 'https://a.com:70000/keys' }),
    'warning XEB0332 spec.jwtRules[0].jwksUri: leads to no host or port, so every token is refused (got text "https://a.com:70000/keys")',
  ],
  [
    'no host',
    rule({ jwksUri: 'https:///keys' }),
    'warning XEB0332 spec.jwtRules[0].jwksUri: leads to no host or port, so every token is refused (got text "https:///keys")',
  ],
  [
    'keys that are given as well',
    rule({ jwksUri: 'https://a.com', jwks: JSON.stringify({ keys: [key] }) }),
    'warning XEB0118 spec.jwtRules[0].jwksUri: is not used, since jwks is given; keep one of them',
  ],
];

const given: readonly Case[] = [
  ['an RSA key', keys(key)],
  ['keys of all types', keys(key, { kty: 'EC', crv: 'P-256', x: 'a', y: 'b' }, { kty: 'OKP', crv: 'Ed25519', x: 'a' })],
  ['a key alone', rule({ jwks: JSON.stringify(key) })],
  ['no keys', keys(), 'warning XEB0333 spec.jwtRules[0].jwks: has no keys, so every token is refused; add a key'],
  [
    'text',
    rule({ jwks: 'secret' }),
    'error XEB0333 spec.jwtRules[0].jwks: is not a JSON Web Key Set (allowed {"keys": [{"kty": …}, …]}); paste it as JSON, in quotes',
  ],
  [
    'a list',
    rule({ jwks: '[]' }),
    'error XEB0333 spec.jwtRules[0].jwks: is not a JSON Web Key Set (allowed {"keys": [{"kty": …}, …]}); paste it as JSON, in quotes',
  ],
  [
    'an object of something else',
    rule({ jwks: '{}' }),
    'error XEB0333 spec.jwtRules[0].jwks: is not a JSON Web Key Set (allowed {"keys": [{"kty": …}, …]}); paste it as JSON, in quotes',
  ],
  [
    'keys that are none',
    rule({ jwks: '{"keys": [1]}' }),
    'error XEB0333 spec.jwtRules[0].jwks: is not a JSON Web Key Set (allowed {"keys": [{"kty": …}, …]}); paste it as JSON, in quotes',
  ],
  [
    'an unknown type',
    keys({ kty: 'RSB' }),
    'error XEB0333 spec.jwtRules[0].jwks: has no known type in keys[0].kty (got text "RSB", allowed RSA, EC, OKP, oct)',
  ],
  [
    'no type',
    keys({ n: 'a', e: 'b' }),
    'error XEB0333 spec.jwtRules[0].jwks: has no known type in keys[0].kty (got nothing, allowed RSA, EC, OKP, oct)',
  ],
  [
    'half a key',
    keys({ kty: 'RSA', n: 'a' }),
    'error XEB0333 spec.jwtRules[0].jwks: lacks e in keys[0]; paste the whole key',
  ],
  [
    'half an EC key',
    keys(key, { kty: 'EC', crv: 'P-256' }),
    'error XEB0333 spec.jwtRules[0].jwks: lacks x, y in keys[1]; paste the whole key',
  ],
  [
    'a private key',
    keys({ ...key, d: 'a' }),
    'warning XEB0333 spec.jwtRules[0].jwks: has a secret in keys[0], which everybody reads who reads the object; use public keys only, and replace this one',
  ],
  [
    'a shared secret',
    keys({ kty: 'oct', k: 'a' }),
    'warning XEB0333 spec.jwtRules[0].jwks: has a secret in keys[0], which everybody reads who reads the object; use public keys only, and replace this one',
  ],
];

describe.each([
  ['RequestAuthentication', cases],
  ['The address of keys', addresses],
  ['Keys that are given', given],
])('%s', (_, table) => {
  it.each(table)('%s', (_name, spec, ...said) => {
    expect(judgeInWords('RequestAuthentication', spec)).toEqual(said);
  });
});
