import { describe, expect, it } from 'vitest';
import { type Case, judgeInWords } from '../testing/judge.ts';

function when(condition: object): object {
  return { rules: [{ when: [condition] }] };
}

function ask(provider: object, members: object): object {
  return { action: 'CUSTOM', provider, rules: [members] };
}

const conditions: readonly Case[] = [
  ['a header', when({ key: 'request.headers[x-token]', values: ['a*'] })],
  ['an inline header', when({ key: 'request.experimental.inline.headers[x]', values: ['a'] })],
  ['a claim in a claim', when({ key: 'request.auth.claims[a][b]', notValues: ['c'] })],
  ['a filter’s metadata', when({ key: 'experimental.envoy.filters.a.b[c]', values: ['d'] })],
  ['addresses', when({ key: 'source.ip', values: ['10.0.0.0/8'], notValues: ['10.1.1.1'] })],
  ['ports', when({ key: 'destination.port', values: ['80'] })],
  ['a name', when({ key: 'connection.sni', values: ['*.a.com'] })],
  ['a service account', when({ key: 'source.serviceAccount', values: ['a/b'] })],
  [
    'an old key',
    when({ key: 'source.user', values: ['a'] }),
    'warning IST0002 spec.rules[0].when[0].key: is deprecated; use source.principal',
  ],
  ['no key', when({ values: ['a'] }), 'error XEB0002 spec.rules[0].when[0].key: is required and missing; add it'],
  [
    'an empty key',
    when({ key: '', values: ['a'] }),
    'error XEB0322 spec.rules[0].when[0].key: is empty; name what is compared',
  ],
  [
    'an unknown key',
    when({ key: 'source.adress', values: ['a'] }),
    'error XEB0322 spec.rules[0].when[0].key: is not a known key (got text "source.adress", allowed source.ip, remote.ip, source.namespace, source.serviceAccount, source.principal, source.user, request.auth.principal, request.auth.audiences, request.auth.presenter, destination.ip, destination.port, connection.sni, request.headers, request.experimental.inline.headers, request.auth.claims, experimental.envoy.filters)',
  ],
  [
    'an unknown map',
    when({ key: 'request.header[x]', values: ['a'] }),
    'error XEB0322 spec.rules[0].when[0].key: is not a known key (got text "request.header[x]", allowed source.ip, remote.ip, source.namespace, source.serviceAccount, source.principal, source.user, request.auth.principal, request.auth.audiences, request.auth.presenter, destination.ip, destination.port, connection.sni, request.headers, request.experimental.inline.headers, request.auth.claims, experimental.envoy.filters); did you mean request.headers?',
  ],
  [
    'no values',
    when({ key: 'source.ip' }),
    'error XEB0322 spec.rules[0].when[0]: has neither values nor notValues; add one of them',
  ],
  [
    'no values in two lists',
    when({ key: 'source.ip', values: [], notValues: [] }),
    'error XEB0322 spec.rules[0].when[0]: has neither values nor notValues; add one of them',
  ],
  [
    'an empty value',
    when({ key: 'source.principal', values: [''] }),
    'error XEB0323 spec.rules[0].when[0].values[0]: is empty; write a value, or remove it',
  ],
  [
    'an empty value that is not',
    when({ key: 'request.headers[x]', notValues: ['a', ''] }),
    'error XEB0323 spec.rules[0].when[0].notValues[1]: is empty; write a value, or remove it',
  ],
  [
    'a header without name',
    when({ key: 'request.headers[]', values: ['a'] }),
    'error XEB0322 spec.rules[0].when[0].key: does not say in brackets which one (got text "request.headers[]", allowed request.headers[…])',
  ],
  [
    'a header without brackets',
    when({ key: 'request.headers', values: ['a'] }),
    'error XEB0322 spec.rules[0].when[0].key: does not say in brackets which one (got text "request.headers", allowed request.headers[…])',
  ],
  [
    'a claim without end',
    when({ key: 'request.auth.claims[a', values: ['b'] }),
    'error XEB0322 spec.rules[0].when[0].key: does not say in brackets which one (got text "request.auth.claims[a", allowed request.auth.claims[…])',
  ],
  [
    'a filter without brackets',
    when({ key: 'experimental.envoy.filters.a', values: ['b'] }),
    'error XEB0322 spec.rules[0].when[0].key: does not say in brackets which one (got text "experimental.envoy.filters.a", allowed experimental.envoy.filters.name[…])',
  ],
  [
    'a name for an address',
    when({ key: 'source.ip', values: ['a.com'] }),
    'error XEB0106 spec.rules[0].when[0].values[0]: is not an address (got text "a.com", allowed an IP address or a block such as 10.0.0.0/8)',
  ],
  [
    'a bad block',
    when({ key: 'remote.ip', notValues: ['1.2.3.4/99'] }),
    'error XEB0106 spec.rules[0].when[0].notValues[0]: is not an address (got text "1.2.3.4/99", allowed an IP address or a block such as 10.0.0.0/8)',
  ],
  [
    'a bad destination',
    when({ key: 'destination.ip', values: ['1.2.3'] }),
    'error XEB0106 spec.rules[0].when[0].values[0]: is not an address (got text "1.2.3", allowed an IP address or a block such as 10.0.0.0/8)',
  ],
  [
    'a bad port',
    when({ key: 'destination.port', values: ['70000', 'http'] }),
    'error XEB0105 spec.rules[0].when[0].values[0]: is not a port (got text "70000", allowed 1 to 65535)',
    'error XEB0105 spec.rules[0].when[0].values[1]: is not a port (got text "http", allowed 1 to 65535)',
  ],
  [
    'a bad service account',
    when({ key: 'source.serviceAccount', values: ['*'] }),
    'error XEB0328 spec.rules[0].when[0].values[0]: is not a service account (got text "*", allowed name or namespace/name)',
  ],
  [
    'a principal with a scheme',
    when({ key: 'source.principal', values: ['spiffe://a'] }),
    'warning XEB0326 spec.rules[0].when[0].values[0]: has a scheme, which principals do not have (got text "spiffe://a"); write "a"',
  ],
  [
    'the namespace of 1.1',
    when({ key: 'destination.namespace', values: ['a'] }),
    'error XEB0322 spec.rules[0].when[0].key: cannot be a condition any more (got text "destination.namespace"); remove it: a policy is for its own namespace',
  ],
  [
    'labels of 1.1',
    when({ key: 'destination.labels[version]', values: ['a'] }),
    'error XEB0322 spec.rules[0].when[0].key: cannot be a condition any more (got text "destination.labels[version]"); use selector',
  ],
  [
    'a name of 1.1',
    when({ key: 'destination.name', values: ['a'] }),
    'error XEB0322 spec.rules[0].when[0].key: cannot be a condition any more (got text "destination.name"); use selector',
  ],
  [
    'a user of 1.1',
    when({ key: 'destination.user', values: ['a'] }),
    'error XEB0322 spec.rules[0].when[0].key: cannot be a condition any more (got text "destination.user"); use selector',
  ],
  ['what CUSTOM can ask for', ask({ name: 'opa' }, { when: [{ key: 'source.ip', values: ['1.1.1.1'] }] })],
  [
    'a peer for CUSTOM',
    ask({ name: 'opa' }, { when: [{ key: 'source.principal', values: ['a'] }] }),
    'error XEB0324 spec.rules[0].when[0].key: is not possible with action CUSTOM; let the provider decide it',
  ],
  [
    'a token for CUSTOM',
    ask({ name: 'opa' }, { when: [{ key: 'request.auth.claims[a]', values: ['b'] }] }),
    'error XEB0324 spec.rules[0].when[0].key: is not possible with action CUSTOM; let the provider decide it',
  ],
];

describe('The conditions of an AuthorizationPolicy', () => {
  it.each(conditions)('%s', (_name, spec, ...said) => {
    expect(judgeInWords('AuthorizationPolicy', spec)).toEqual(said);
  });
});
