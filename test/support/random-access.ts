import type { AuthorizationPolicySpec, AuthorizationRule } from '../../src/apis/security/security.ts';
import { type Identity, spiffeId } from '../../src/model/identity.ts';
import type { AccessRequest } from '../../src/pilot/authorize/request.ts';
import type { Random } from './random.ts';

// Policies and requests over few names, so that they often meet.

export const identities: readonly Identity[] = [
  { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'cart' },
  { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'front' },
  { trustDomain: 'old.example', namespace: 'pay', serviceAccount: 'till' },
  { trustDomain: 'cluster.local', namespace: 'shop-a', serviceAccount: 'cart.v1' },
];

export const trustDomains: readonly string[] = ['cluster.local', 'old.example'];
export const issuers: readonly string[] = ['https://a.example', 'https://b.example/x'];

export const claims: readonly (Readonly<Record<string, unknown>> | undefined)[] = [
  undefined,
  { iss: 'https://a.example', sub: 'joe', aud: 'web', azp: 'app', groups: ['dev', 'ops'], admin: true, level: 5 },
  { iss: 'https://a.example', sub: 'ann', aud: ['web', 'api'], groups: 'dev', realm: { roles: ['reader'] } },
  { iss: 'https://b.example/x', sub: 'a/b', aud: ['api'], azp: 'apple', groups: [], admin: false },
  { iss: 'https://b.example/x', aud: 'webs', groups: ['developers'], realm: { roles: 'reader' }, admin: null },
];

const sources: readonly string[] = ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.9'];
const methods = ['GET', 'POST', 'PUT', 'DELETE', 'PURGE'];
const hosts = [
  'shop.example',
  'SHOP.Example',
  'shop.example:8080',
  'shop.example.',
  'a.shop.example',
  'other.test',
  'x@shop.example',
  'evil,shop.example',
  'shop.example:x',
  '[::1]:80',
];
const paths = [
  ...[
    '/',
    '/admin',
    '/admin/',
    '/Admin',
    '/admin;x=1',
    '//admin',
    '/admin%2Fx',
    '/x/..%2fadmin',
    '/admin/users?x=/public/',
  ],
  ...['/public/a', '/public/a%2Fb', '/public/..%5cadmin', '/public', '/publication', '/public/%c3%a9', '/%2fpublic/a'],
  ...['/img/a.png', '/img/a.png;v=1', '/admin;.png', '/img/A.PNG', '/a%20b', '/A%20B/', '/a.png/x'],
  ...['/api/v1/users', '/api/v1/users/7?x=1', '/api/v1%2Fx/users', '/api//users', '/api/v1/x/users', '/api/', '/api'],
];
const roles: readonly (readonly string[])[] = [
  ...[[], ['admin'], ['guest'], ['admin', 'guest'], ['guest', 'admin'], ['admin', 'admin']],
  ...[['admin,guest'], ['administrator'], ['x,admin'], ['superadmin'], ['admin, guest'], ['admin', 'administrator']],
];
const snis = ['one.example', 'two.example', 'ONE.example', ''];
const remotes = ['10.1.2.3', '192.0.2.7', ''];

export type RandomRequest = {
  readonly isTcp: boolean;
  readonly identity: Identity | undefined;
  readonly sni: string | undefined;
  readonly from: string;
  readonly remote: string | undefined;
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly roles: readonly string[];
  readonly claims: number;
};

export function randomRequest(random: Random): RandomRequest {
  const identity = random.chance(0.75) ? random.pick(identities) : undefined;
  return {
    isTcp: random.chance(0.12),
    identity,
    sni: identity === undefined ? undefined : random.pick(snis) || undefined,
    from: random.pick(sources),
    remote: random.pick(remotes) || undefined,
    method: random.pick(methods),
    path: random.pick(paths),
    host: random.pick(hosts),
    roles: random.pick(roles),
    claims: random.below(claims.length),
  };
}

type Values = (random: Random) => readonly string[];

function some(...pool: readonly string[]): Values {
  return (random) => {
    const first = random.pick(pool);
    return random.chance(0.4) ? [...new Set([first, random.pick(pool)])] : [first];
  };
}

const principals = some(
  ...['cluster.local/ns/shop/sa/cart', 'cluster.local/ns/pay/sa/till', 'old.example/ns/shop/sa/front'],
  ...['*', '*/sa/cart', '*/ns/shop/sa/front', 'cluster.local/ns/shop*', 'cluster.local/ns/shop/*', '*cart.v1', 'old*'],
);
const namespaces = some('shop', 'pay', 'shop*', '*op', '*', 'sh.p');
const accounts = some('cart', 'shop/front', 'pay/till', 'shop-a/cart.v1', 'shop-a/cartxv1');
const blocks = some('127.0.0.1', '127.0.0.2/31', '127.0.0.0/8', '10.0.0.0/8', '::1');
const remoteBlocks = some('10.1.2.3', '10.0.0.0/8', '192.0.2.0/24', '127.0.0.0/8');
const requestPrincipals = some(
  ...['https://a.example/joe', 'https://b.example/x/a/b', '*', 'https://a.example/*', 'https://b.example*'],
  ...['*/joe', '*/a/b', '*b', 'https://*', 'https://a.example'],
);
const operations: Readonly<Record<string, Values>> = {
  hosts: some('shop.example', '*.example', 'shop*', 'shop.example:8080', '*', '[::1]', 'other.test', 'other.test'),
  methods: some('GET', 'POST', 'P*', '*', '*T'),
  paths: some(
    ...['/admin', '/admin/*', '/public/*', '*.png', '/api/{*}/users', '/api/{**}', '*', '/', '*/users', '/a%20b'],
    ...['/public*', '/api/{*}/users/{**}', '/admin;x=1', '*min', '/a b'],
  ),
};
const textConditions: Readonly<Record<string, Values>> = {
  'request.headers[x-role]': some('admin', 'guest', 'adm*', '*min', '*', 'admin,guest', 'a.min'),
  'request.experimental.inline.headers[x-role]': some('admin', 'guest', 'adm*', '*min'),
  'request.auth.audiences': some('web', 'api', 'web*', '*'),
  'request.auth.presenter': some('app', 'app*', '*le'),
  'request.auth.claims[groups]': some('dev', 'ops', 'dev*', '*'),
  'request.auth.claims[realm][roles]': some('reader', '*', 'writer'),
  'request.auth.claims[admin]': some('true', 'false', '*'),
  'request.auth.claims[level]': some('5', '6'),
  'request.auth.principal': requestPrincipals,
  'source.ip': blocks,
  'remote.ip': remoteBlocks,
  'source.namespace': namespaces,
  'source.principal': principals,
  'source.serviceAccount': accounts,
  'connection.sni': some('one.example', '*.example', 'two*', '*'),
};

type Members = Record<string, readonly string[]>;

function members(random: Random, pools: Readonly<Record<string, Values>>): Members {
  const result: Members = {};
  const count = random.chance(0.7) ? 1 : 2;
  for (let index = 0; index < count; index += 1) {
    const name = random.pick(Object.keys(pools));
    const values = pools[name]?.(random) ?? [];
    result[random.chance(0.25) ? `not${name.charAt(0).toUpperCase()}${name.slice(1)}` : name] = values;
  }
  return result;
}

function randomSource(random: Random): Members {
  const peers = random.pick([{ principals }, { namespaces }, { serviceAccounts: accounts }]);
  return members(random, { ...peers, ipBlocks: blocks, remoteIpBlocks: remoteBlocks, requestPrincipals, ...peers });
}

export type Here = { readonly address: string; readonly ports: readonly number[] };

export function randomRule(random: Random, here: Here): AuthorizationRule {
  const ports: Values = some(...here.ports.map(String), '9');
  const times = (chance: number): number[] => (random.chance(chance) ? (random.chance(0.3) ? [0, 1] : [0]) : []);
  const condition = () => {
    const places = { 'destination.ip': some(here.address, '127.1.0.0/16', '10.0.0.0/8'), 'destination.port': ports };
    const pools: Readonly<Record<string, Values>> = { ...textConditions, ...places };
    const key = random.pick(Object.keys(pools));
    const values = pools[key]?.(random) ?? [];
    return random.chance(0.25) ? { key, notValues: [...values] } : { key, values: [...values] };
  };
  const parts = {
    from: times(0.6).map(() => ({ source: randomSource(random) })),
    to: times(0.6).map(() => ({ operation: members(random, { ...operations, ports }) })),
    when: times(0.45).map(condition),
  };
  // Where one question decides alone, a wrong answer to it shows.
  const alone = random.pick(['from', 'to', 'when', 'when', 'all', 'all'] as const);
  if (alone === 'from') return { from: [{ source: randomSource(random) }] } as AuthorizationRule;
  if (alone === 'to') return { to: [{ operation: members(random, { ...operations, ports }) }] } as AuthorizationRule;
  return (alone === 'when' ? { when: [condition()] } : parts) as AuthorizationRule;
}

/** ALLOW, DENY or (seldom) AUDIT; without rules now and then. */
export function randomPolicy(random: Random, here: Here): AuthorizationPolicySpec {
  const action = random.pick(['ALLOW', 'ALLOW', 'ALLOW', 'DENY', 'DENY', 'AUDIT'] as const);
  const count = action === 'ALLOW' && random.chance(0.03) ? 0 : 1 + random.below(random.chance(0.5) ? 1 : 3);
  return { action, rules: Array.from({ length: count }, () => randomRule(random, here)) };
}

/** Where a request arrives. */
export type Arrival = { readonly address: string; readonly ports: { readonly http: number; readonly tcp: number } };

/** What the evaluator is told of a request. */
export function recordOf(request: RandomRequest, { address, ports }: Arrival): AccessRequest {
  const { identity, remote, from, isTcp } = request;
  return {
    peer: identity === undefined ? undefined : spiffeId(identity),
    sourceIp: from,
    remoteIp: isTcp ? from : (remote ?? from),
    destinationIp: address,
    destinationPort: isTcp ? ports.tcp : ports.http,
    sni: request.sni?.toLowerCase(),
    http: isTcp
      ? undefined
      : {
          method: request.method,
          path: request.path,
          host: request.host,
          headers: new Map([['x-role', request.roles]]),
          claims: claims[request.claims],
          metadata: new Map(),
        },
  };
}
