import { describe, expect, it } from 'vitest';
import { type Case, judgeInWords } from '../testing/judge.ts';

const targets = [{ name: 'a' }];
const jwt = { issuer: 'https://a.com', jwksUri: 'https://a.com/keys' };

function origin(members: object): object {
  return { targets, origins: [{ jwt: { ...jwt, ...members } }] };
}

const policies: readonly Case[] = [
  [
    'everything',
    {
      targets: [{ name: 'a', ports: [{ number: 80 }, { name: 'http' }] }],
      peers: [{ mtls: { mode: 'PERMISSIVE', allowTls: true } }],
      peerIsOptional: true,
      origins: [
        {
          jwt: {
            ...jwt,
            audiences: ['b'],
            jwtHeaders: ['x'],
            jwtParams: ['t'],
            triggerRules: [
              {
                excludedPaths: [{ exact: '/a' }, { suffix: '.png' }],
                includedPaths: [{ prefix: '/b' }, { regex: '/c.*' }],
              },
            ],
          },
        },
      ],
      originIsOptional: true,
      principalBinding: 'USE_ORIGIN',
    },
  ],
  ['mutual TLS as most people write it', { targets, peers: [{ mtls: null }] }],
  [
    'the same beside an unknown field',
    { targets, peers: [{ mtls: null }], peer: [] },
    'error XEB0008 spec.peer: is not a known field, and may be what the policy depends on; did you mean peers?',
  ],
  [
    'no targets',
    { peers: [{ mtls: {} }] },
    'error XEB0335 spec.targets: is required for a policy named "thing"; add targets, or name it default',
  ],
  [
    'a target without name',
    { targets: [{}] },
    'error XEB0103 spec.targets[0].name: is missing or empty (allowed letters, digits and inner hyphens, at most 63); give it a name',
  ],
  [
    'a target with a complete name',
    { targets: [{ name: 'a.shop.svc.cluster.local' }] },
    'error XEB0336 spec.targets[0].name: is not a service of the namespace (got text "a.shop.svc.cluster.local", allowed the short name of a service); write "a"',
  ],
  [
    'a target with a bad name',
    { targets: [{ name: 'a_b' }] },
    'error XEB0103 spec.targets[0].name: is not a DNS label (got text "a_b", allowed letters, digits and inner hyphens, at most 63)',
  ],
  [
    'labels of a target',
    { targets: [{ name: 'a', labels: { version: 'v1' } }] },
    'warning XEB0118 spec.targets[0].labels: has no effect; remove it',
  ],
  [
    'a port that says nothing',
    { targets: [{ name: 'a', ports: [{}] }] },
    'error XEB0006 spec.targets[0].ports[0]: has none of its alternatives (got an empty object, allowed exactly one of number, name)',
  ],
  [
    'a port that says too much',
    { targets: [{ name: 'a', ports: [{ number: 80, name: 'http' }] }] },
    'error XEB0005 spec.targets[0].ports[0].name: cannot be set together with number (got text "http", allowed one of number, name)',
  ],
  [
    'port 0',
    { targets: [{ name: 'a', ports: [{ number: 0 }] }] },
    'error XEB0105 spec.targets[0].ports[0].number: is not a port (got number 0, allowed 1 to 65535)',
  ],
  [
    'a port out of range',
    { targets: [{ name: 'a', ports: [{ number: 70000 }] }] },
    'error XEB0105 spec.targets[0].ports[0].number: is not a port (got number 70000, allowed 1 to 65535)',
  ],
  [
    'a port with a bad name',
    { targets: [{ name: 'a', ports: [{ name: '-a' }] }] },
    'error XEB0103 spec.targets[0].ports[0].name: is not a DNS label (got text "-a", allowed letters, digits and inner hyphens, at most 63)',
  ],
  [
    'a peer that is nothing',
    { targets, peers: [{}] },
    'warning XEB0337 spec.peers[0]: asks for nothing: kubectl drops an mtls without value; write mtls: {}',
  ],
  [
    'a peer that is two',
    { targets, peers: [{ mtls: {}, jwt }] },
    'error XEB0005 spec.peers[0].jwt: cannot be set together with mtls (got an object, allowed one of mtls, jwt)',
  ],
  [
    'an unknown mode',
    { targets, peers: [{ mtls: { mode: 'MUTUAL' } }] },
    'error XEB0003 spec.peers[0].mtls.mode: is not a known value (got text "MUTUAL", allowed STRICT, PERMISSIVE)',
  ],
  [
    'a peer with a token without issuer',
    { targets, peers: [{ jwt: {} }] },
    'error XEB0331 spec.peers[0].jwt.issuer: is missing or empty; name the issuer',
  ],
  [
    'an origin that is nothing',
    { targets, origins: [{}] },
    'error XEB0337 spec.origins[0].jwt: is required and missing; add it',
  ],
  [
    'an origin without issuer',
    origin({ issuer: '' }),
    'error XEB0331 spec.origins[0].jwt.issuer: is missing or empty; name the issuer',
  ],
  [
    'an origin without keys',
    { targets, origins: [{ jwt: { issuer: 'me@a.com' } }] },
    'warning XEB0332 spec.origins[0].jwt.issuer: is no URL at which keys could be found (got text "me@a.com"); give jwksUri or jwks',
  ],
  [
    'an issuer twice',
    { targets, peers: [{ jwt }], origins: [{ jwt }] },
    'error XEB0331 spec.origins[0].jwt.issuer: is named above already (got text "https://a.com"); keep one of them',
  ],
  [
    'an issuer twice in origins',
    { targets, origins: [{ jwt }, { jwt }] },
    'error XEB0331 spec.origins[1].jwt.issuer: is named above already (got text "https://a.com"); keep one of them',
  ],
  [
    'an empty audience',
    origin({ audiences: [''] }),
    'error XEB0334 spec.origins[0].jwt.audiences[0]: is empty; name the audience',
  ],
  [
    'an empty header',
    origin({ jwtHeaders: [''] }),
    'error XEB0334 spec.origins[0].jwt.jwtHeaders[0]: is empty; name the header',
  ],
  [
    'an empty parameter',
    origin({ jwtParams: [''] }),
    'error XEB0334 spec.origins[0].jwt.jwtParams[0]: is empty; name the parameter',
  ],
  [
    'keys at another scheme',
    origin({ jwksUri: 'ftp://a.com' }),
    'error XEB0332 spec.origins[0].jwt.jwksUri: is not an address of keys (got text "ftp://a.com", allowed http://host/path or https://host/path)',
  ],
  [
    'keys at a bad port',
    origin({ jwksUri: 'https://a.com:x' }),
    'error XEB0332 spec.origins[0].jwt.jwksUri: is not an address of keys (got text "https://a.com:x", allowed http://host/path or https://host/path)',
  ],
  [
    'keys that are none',
    origin({ jwksUri: '', jwks: 'a' }),
    'warning XEB0333 spec.origins[0].jwt.jwks: is not a JSON Web Key Set (allowed {"keys": [{"kty": …}, …]}); paste it as JSON, in quotes',
  ],
  [
    'a path of two forms',
    origin({ triggerRules: [{ includedPaths: [{ exact: '/a', prefix: '/b' }] }] }),
    'error XEB0005 spec.origins[0].jwt.triggerRules[0].includedPaths[0].prefix: cannot be set together with exact (got text "/b", allowed one of exact, prefix, suffix, regex)',
  ],
  [
    'a path by no expression',
    origin({ triggerRules: [{ excludedPaths: [{ regex: '(' }] }] }),
    'error IST0122 spec.origins[0].jwt.triggerRules[0].excludedPaths[0].regex: is not an RE2 expression: missing closing ): `(` (got text "("); see github.com/google/re2/wiki/Syntax',
  ],
  [
    'a principal of no origin',
    { targets, principalBinding: 'USE_ORIGIN' },
    'warning XEB0118 spec.principalBinding: has no origins to take the principal from; add origins',
  ],
];

const defaults: readonly Case[] = [
  ['mutual TLS', { peers: [{ mtls: {} }] }],
  ['nothing, which is plaintext', {}],
  [
    'targets',
    { targets },
    'error XEB0335 spec.targets: cannot be set: the policy named default is that of the whole namespace; rename the policy, or remove them',
  ],
];

const meshPolicies: readonly Case[] = [
  ['mutual TLS', { peers: [{ mtls: { mode: 'STRICT' } }] }],
  ['targets', { targets }, 'error XEB0335 spec.targets: cannot be set for the whole mesh; remove it, or use Policy'],
  ['an origin without token', { origins: [{}] }, 'error XEB0337 spec.origins[0].jwt: is required and missing; add it'],
];

const otherMeshPolicies: readonly Case[] = [
  [
    'the name',
    { peers: [{ mtls: {} }] },
    'error XEB0335 metadata.name: is not the name of the mesh’s policy (got text "mesh", allowed default)',
  ],
];

describe.each([
  ['Policy', 'Policy', {}, policies],
  ['The Policy of a namespace', 'Policy', { name: 'default' }, defaults],
  ['MeshPolicy', 'MeshPolicy', { name: 'default', namespace: '' }, meshPolicies],
  ['A MeshPolicy of another name', 'MeshPolicy', { name: 'mesh', namespace: '' }, otherMeshPolicies],
] as const)('%s', (_, kind, meta, cases) => {
  it.each(cases)('%s', (_name, spec, ...said) => {
    expect(judgeInWords(kind, spec, meta)).toEqual(said);
  });
});
