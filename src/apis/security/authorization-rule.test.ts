import { describe, expect, it } from 'vitest';
import { type Case, judgeInWords } from '../testing/judge.ts';

function from(source: object): object {
  return { rules: [{ from: [{ source }] }] };
}

function to(operation: object): object {
  return { rules: [{ to: [{ operation }] }] };
}

function ask(provider: object, members: object): object {
  return { action: 'CUSTOM', provider, rules: [members] };
}

const sources: readonly Case[] = [
  [
    'everything',
    from({
      principals: ['*', 'a/ns/b/sa/c'],
      notPrincipals: ['a*'],
      requestPrincipals: ['*'],
      notRequestPrincipals: ['iss/*'],
      namespaces: ['a', '*-b'],
      notNamespaces: ['c'],
      ipBlocks: ['10.0.0.0/8', '1.2.3.4'],
      notIpBlocks: ['2001:db8::/32'],
      remoteIpBlocks: ['::1'],
      notRemoteIpBlocks: ['1.1.1.1'],
    }),
  ],
  ['service accounts', from({ serviceAccounts: ['a', 'b/c'], notServiceAccounts: ['d'] })],
  [
    'no source',
    { rules: [{ from: [{}] }] },
    'error XEB0321 spec.rules[0].from[0].source: names nobody (got nothing, allowed principals, notPrincipals, requestPrincipals, notRequestPrincipals, namespaces, notNamespaces, serviceAccounts, notServiceAccounts, ipBlocks, notIpBlocks, remoteIpBlocks, notRemoteIpBlocks); add a member, or remove the entry',
  ],
  [
    'an empty source',
    from({}),
    'error XEB0321 spec.rules[0].from[0].source: names nobody (got an empty object, allowed principals, notPrincipals, requestPrincipals, notRequestPrincipals, namespaces, notNamespaces, serviceAccounts, notServiceAccounts, ipBlocks, notIpBlocks, remoteIpBlocks, notRemoteIpBlocks); add a member, or remove the entry',
  ],
  [
    'only an empty list',
    from({ principals: [] }),
    'error XEB0321 spec.rules[0].from[0].source: names nobody (got an object, allowed principals, notPrincipals, requestPrincipals, notRequestPrincipals, namespaces, notNamespaces, serviceAccounts, notServiceAccounts, ipBlocks, notIpBlocks, remoteIpBlocks, notRemoteIpBlocks); add a member, or remove the entry',
  ],
  [
    'an empty list beside others',
    from({ principals: [], namespaces: ['a'] }),
    'warning XEB0121 spec.rules[0].from[0].source.principals: is empty, so it restricts nothing; add an entry, or remove it',
  ],
  [
    'an empty principal',
    from({ principals: [''] }),
    'error XEB0323 spec.rules[0].from[0].source.principals[0]: is empty; write a value, or remove it',
  ],
  [
    'an empty request principal',
    from({ requestPrincipals: [''] }),
    'error XEB0323 spec.rules[0].from[0].source.requestPrincipals[0]: is empty; write a value, or remove it',
  ],
  [
    'an empty namespace',
    from({ notNamespaces: ['a', ''] }),
    'error XEB0323 spec.rules[0].from[0].source.notNamespaces[1]: is empty; write a value, or remove it',
  ],
  [
    'an empty block',
    from({ ipBlocks: [''] }),
    'error XEB0323 spec.rules[0].from[0].source.ipBlocks[0]: is empty; write a value, or remove it',
  ],
  [
    'a name for an address',
    from({ ipBlocks: ['localhost'] }),
    'error XEB0106 spec.rules[0].from[0].source.ipBlocks[0]: is not an address (got text "localhost", allowed an IP address or a block such as 10.0.0.0/8)',
  ],
  [
    'a block with too many bits',
    from({ notIpBlocks: ['10.0.0.0/33'] }),
    'error XEB0106 spec.rules[0].from[0].source.notIpBlocks[0]: is not an address (got text "10.0.0.0/33", allowed an IP address or a block such as 10.0.0.0/8)',
  ],
  [
    'an address with a port',
    from({ remoteIpBlocks: ['10.0.0.1:80'] }),
    'error XEB0106 spec.rules[0].from[0].source.remoteIpBlocks[0]: is not an address (got text "10.0.0.1:80", allowed an IP address or a block such as 10.0.0.0/8)',
  ],
  [
    'half an address',
    from({ notRemoteIpBlocks: ['10.0.0'] }),
    'error XEB0106 spec.rules[0].from[0].source.notRemoteIpBlocks[0]: is not an address (got text "10.0.0", allowed an IP address or a block such as 10.0.0.0/8)',
  ],
  [
    'a star in the middle',
    from({ principals: ['a/*/b'] }),
    'warning XEB0326 spec.rules[0].from[0].source.principals[0]: has a * that is compared as it stands (got text "a/*/b", allowed one * at the beginning or at the end)',
  ],
  [
    'a star on both sides',
    from({ namespaces: ['*a*'] }),
    'warning XEB0326 spec.rules[0].from[0].source.namespaces[0]: has a * that is compared as it stands (got text "*a*", allowed one * at the beginning or at the end)',
  ],
  [
    'a principal with a scheme',
    from({ principals: ['spiffe://a/ns/b/sa/c'] }),
    'warning XEB0326 spec.rules[0].from[0].source.principals[0]: has a scheme, which principals do not have (got text "spiffe://a/ns/b/sa/c"); write "a/ns/b/sa/c"',
  ],
  [
    'service accounts beside namespaces',
    from({ serviceAccounts: ['a'], namespaces: ['b'] }),
    'error XEB0328 spec.rules[0].from[0].source.serviceAccounts: cannot stand beside namespaces; keep one of them',
  ],
  [
    'service accounts beside principals',
    from({ notServiceAccounts: ['a'], notPrincipals: ['b'] }),
    'error XEB0328 spec.rules[0].from[0].source.notServiceAccounts: cannot stand beside notPrincipals; keep one of them',
  ],
  [
    'a service account with a wildcard',
    from({ serviceAccounts: ['a/*'] }),
    'error XEB0328 spec.rules[0].from[0].source.serviceAccounts[0]: is not a service account (got text "a/*", allowed name or namespace/name)',
  ],
  [
    'a service account of two namespaces',
    from({ serviceAccounts: ['a/b/c'] }),
    'error XEB0328 spec.rules[0].from[0].source.serviceAccounts[0]: is not a service account (got text "a/b/c", allowed name or namespace/name)',
  ],
  [
    'a service account without name',
    from({ notServiceAccounts: ['a/'] }),
    'error XEB0328 spec.rules[0].from[0].source.notServiceAccounts[0]: is not a service account (got text "a/", allowed name or namespace/name)',
  ],
  [
    'an empty service account',
    from({ serviceAccounts: [''] }),
    'error XEB0323 spec.rules[0].from[0].source.serviceAccounts[0]: is empty; write a value, or remove it',
  ],
  [
    'a service account without end',
    from({ serviceAccounts: ['a'.repeat(321)] }),
    'error XEB0328 spec.rules[0].from[0].source.serviceAccounts[0]: is too long (got text "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…", allowed at most 320 characters)',
  ],
  [
    'too many service accounts',
    from({ serviceAccounts: Array.from({ length: 17 }, (_, index) => `a${index}`) }),
    'error XEB0328 spec.rules[0].from[0].source.serviceAccounts: has 17 entries (allowed at most 16)',
  ],
  ['what CUSTOM can ask for', ask({ name: 'opa' }, { from: [{ source: { ipBlocks: ['10.0.0.0/8'] } }] })],
  [
    'a peer for CUSTOM',
    ask({ name: 'opa' }, { from: [{ source: { principals: ['*'] } }] }),
    'error XEB0324 spec.rules[0].from[0].source.principals: is not possible with action CUSTOM; let the provider decide it',
  ],
  [
    'a namespace and a token for CUSTOM',
    ask({ name: 'opa' }, { from: [{ source: { notNamespaces: ['a'], requestPrincipals: ['*'] } }] }),
    'error XEB0324 spec.rules[0].from[0].source.requestPrincipals: is not possible with action CUSTOM; let the provider decide it',
    'error XEB0324 spec.rules[0].from[0].source.notNamespaces: is not possible with action CUSTOM; let the provider decide it',
  ],
];

const operations: readonly Case[] = [
  [
    'everything',
    to({
      hosts: ['*.a.com'],
      notHosts: ['b.a.com'],
      ports: ['80', '443'],
      notPorts: ['8080'],
      methods: ['GET', '*'],
      notMethods: ['PUT'],
      paths: ['/a', '/b*', '*.png', '/c/{*}/{**}'],
      notPaths: ['*'],
    }),
  ],
  [
    'no operation',
    { rules: [{ to: [{}] }] },
    'error XEB0321 spec.rules[0].to[0].operation: names nothing (got nothing, allowed hosts, notHosts, ports, notPorts, methods, notMethods, paths, notPaths); add a member, or remove the entry',
  ],
  [
    'an empty operation',
    to({}),
    'error XEB0321 spec.rules[0].to[0].operation: names nothing (got an empty object, allowed hosts, notHosts, ports, notPorts, methods, notMethods, paths, notPaths); add a member, or remove the entry',
  ],
  [
    'an empty host',
    to({ hosts: [''] }),
    'error XEB0323 spec.rules[0].to[0].operation.hosts[0]: is empty; write a value, or remove it',
  ],
  [
    'an empty path',
    to({ notPaths: [''] }),
    'error XEB0323 spec.rules[0].to[0].operation.notPaths[0]: is empty; write a value, or remove it',
  ],
  [
    'an empty method',
    to({ methods: [''] }),
    'error XEB0323 spec.rules[0].to[0].operation.methods[0]: is empty; write a value, or remove it',
  ],
  [
    'a port as a number',
    to({ ports: [80] }),
    'error XEB0001 spec.rules[0].to[0].operation.ports[0]: has the wrong type (got number 80, allowed text); put it in quotes',
  ],
  [
    'a port by name',
    to({ ports: ['http'] }),
    'error XEB0105 spec.rules[0].to[0].operation.ports[0]: is not a port (got text "http", allowed 1 to 65535)',
  ],
  [
    'a port out of range',
    to({ notPorts: ['65536'] }),
    'error XEB0105 spec.rules[0].to[0].operation.notPorts[0]: is not a port (got text "65536", allowed 1 to 65535)',
  ],
  [
    'a negative port',
    to({ ports: ['-1'] }),
    'error XEB0105 spec.rules[0].to[0].operation.ports[0]: is not a port (got text "-1", allowed 1 to 65535)',
  ],
  [
    'port 0',
    to({ ports: ['0'] }),
    'warning XEB0105 spec.rules[0].to[0].operation.ports[0]: is no port of any connection (got text "0", allowed 1 to 65535)',
  ],
  [
    'a method in lower case',
    to({ methods: ['get'] }),
    'warning XEB0326 spec.rules[0].to[0].operation.methods[0]: is not in upper case, so it never matches (got text "get"); write "GET"',
  ],
  [
    'a relative path',
    to({ paths: ['a/b'] }),
    'warning XEB0326 spec.rules[0].to[0].operation.paths[0]: does not begin with /, as all paths do (got text "a/b"); write "/a/b"',
  ],
  [
    'a star inside a path',
    to({ paths: ['/a/*/b'] }),
    'warning XEB0326 spec.rules[0].to[0].operation.paths[0]: has a * that is compared as it stands (got text "/a/*/b", allowed one * at the beginning or at the end)',
  ],
  [
    'a named template',
    to({ paths: ['/a/{name}'] }),
    'error XEB0325 spec.rules[0].to[0].operation.paths[0]: has a segment "{name}", which is no template (got text "/a/{name}", allowed {*} and, at last, {**} as whole segments)',
  ],
  [
    'a template with a pattern',
    to({ paths: ['/{a=*}/{*}'] }),
    'error XEB0325 spec.rules[0].to[0].operation.paths[0]: has a segment "{a=*}", which is no template (got text "/{a=*}/{*}", allowed {*} and, at last, {**} as whole segments)',
  ],
  [
    'a template inside a segment',
    to({ paths: ['/a{*}/b'] }),
    'error XEB0325 spec.rules[0].to[0].operation.paths[0]: has a segment "a{*}", which is no template (got text "/a{*}/b", allowed {*} and, at last, {**} as whole segments)',
  ],
  [
    'a template behind the last',
    to({ paths: ['/{**}/a/{*}'] }),
    'error XEB0325 spec.rules[0].to[0].operation.paths[0]: has {*} behind {**} (got text "/{**}/a/{*}", allowed {*} and, at last, {**} as whole segments)',
  ],
  [
    'a star beside a template',
    to({ notPaths: ['/{*}/a*'] }),
    'error XEB0325 spec.rules[0].to[0].operation.notPaths[0]: has a segment "a*" beside templates (got text "/{*}/a*", allowed {*} and, at last, {**} as whole segments)',
  ],
  [
    'an empty segment beside a template',
    to({ paths: ['/a//{*}'] }),
    'error XEB0325 spec.rules[0].to[0].operation.paths[0]: has a segment "" beside templates (got text "/a//{*}", allowed {*} and, at last, {**} as whole segments)',
  ],
  ['text behind the last template', to({ paths: ['/a/{**}/b'] })],
];

describe.each([
  ['sources', sources],
  ['operations', operations],
])('The %s of an AuthorizationPolicy', (_, cases) => {
  it.each(cases)('%s', (_name, spec, ...said) => {
    expect(judgeInWords('AuthorizationPolicy', spec)).toEqual(said);
  });
});
