import type { Ports } from './access-envoy.ts';
import { nobodyRows, sourceRows } from './access-source-rows.ts';
import {
  allow,
  bothWays,
  type Call,
  cart,
  cartV1,
  deny,
  from,
  front,
  onBoth,
  plaintext,
  type Row,
  till,
  to,
  unless,
  when,
} from './access-table.ts';

const operationRows = (ports: Ports): readonly Row[] => [
  ...bothWays(
    'methods',
    to({ methods: ['GET', 'P*'] }),
    [{}, { method: 'POST' }, { method: 'PUT' }],
    [{ method: 'DELETE' }],
  ),
  ...bothWays(
    'hosts',
    to({ hosts: ['shop.example'] }),
    [{}, { host: 'SHOP.example' }, { host: 'shop.example:8080' }],
    [{ host: 'a.shop.example' }, { host: 'shop.example.test' }],
  ),
  ...bothWays(
    'paths',
    to({ paths: ['/a', '/b/*', '*.c'] }),
    [{ path: '/a' }, { path: '/a?x=1' }, { path: '/b/c' }, { path: '/x/y.c' }],
    [{ path: '/ab' }, { path: '/b' }, { path: '/?p=/a' }],
  ),
  ...bothWays(
    'path templates',
    to({ paths: ['/v1/{*}/users/{**}'] }),
    [{ path: '/v1/a/users/7/x' }, { path: '/v1/a/users/?q' }],
    [{ path: '/v1/a/b/users/7' }, { path: '/v1/users/7' }],
  ),
  ...bothWays('ports', to({ ports: [String(ports.http)] }), [{}], [{ tcp: true }]),
  {
    name: 'ALLOW notPorts',
    policies: [allow(to({ notPorts: [String(ports.http)] }))],
    through: [{ tcp: true }],
    refused: [{}],
  },
  {
    name: 'ALLOW notMethods and notHosts',
    policies: [allow(to({ notMethods: ['DELETE'], notHosts: ['admin.example'] }))],
    through: [{}],
    refused: [{ method: 'DELETE' }, { host: 'ADMIN.example:80' }],
  },
];

const role = (...values: readonly string[]): Call => ({ headers: values.map((value) => `x-role: ${value}`) });

const headerRows: readonly Row[] = [
  {
    name: 'ALLOW a header: all values must be of the pattern (CVE-2026-26308)',
    policies: [allow(when('request.headers[x-role]', 'admin', 'adm*'))],
    through: [role('admin'), role('admin', 'admin'), role('administrator', 'admin')],
    refused: [role('guest'), role('admin', 'guest'), role('guest', 'admin'), role('admin,guest', 'x'), {}],
  },
  {
    name: 'DENY a header: one value or element is enough (CVE-2026-26308)',
    policies: [deny(when('request.headers[x-role]', 'guest'))],
    through: [role('admin'), role('guests'), {}],
    refused: [role('guest'), role('admin', 'guest'), role('guest', 'guest'), role('admin, guest'), role('guest,admin')],
  },
  {
    name: 'DENY a header with a list, however it comes (CVE-2026-26308)',
    policies: [deny(when('request.headers[x-role]', 'a,b'))],
    through: [role('a'), role('b'), {}],
    refused: [role('a,b'), role('a', 'b'), role('b', 'a'), role('a, b, c')],
  },
  {
    name: 'DENY a header not of a value: all must be (CVE-2026-26308)',
    policies: [deny(unless('request.headers[x-role]', 'admin'))],
    through: [role('admin')],
    refused: [role('guest'), role('admin', 'guest'), {}],
  },
  {
    name: 'DENY a header that the proxy joins (CVE-2026-26308)',
    policies: [deny(when('request.headers[user-agent]', 'bad*'))],
    through: [{ headers: ['user-agent: good'] }],
    refused: [{ headers: ['user-agent: bad/1'] }, { headers: ['user-agent: good', 'user-agent: bad/1'] }],
  },
  ...bothWays('a header that is there', when('request.headers[x-role]', '*'), [role('a'), role('')], [{}]),
  ...bothWays(
    'an element of a header',
    when('request.experimental.inline.headers[x-role]', 'a'),
    [role('a'), role('b,a'), role('b, a ,c')],
    [role('ab'), {}],
  ),
  ...bothWays(
    'the host by its header',
    when('request.headers[:authority]', 'shop.example'),
    [{}, { host: 'shop.example.:80' }],
    [{ host: 'other.test' }],
  ),
];

const conditionRows = (ports: Ports): readonly Row[] => [
  ...bothWays(
    'source.ip',
    when('source.ip', '127.0.0.2'),
    onBoth([{ from: '127.0.0.2' }]),
    onBoth([{ from: '127.0.0.3' }]),
  ),
  ...bothWays('remote.ip', when('remote.ip', '10.0.0.0/8'), [{ headers: ['x-forwarded-for: 10.1.2.3'] }], [{}]),
  ...bothWays('destination.port', when('destination.port', String(ports.tcp)), [{ tcp: true }], [{}]),
  ...bothWays('destination.ip', when('destination.ip', '127.1.0.0/16'), onBoth([{}]), []),
  ...bothWays(
    'source.namespace',
    when('source.namespace', '*op'),
    onBoth([{ as: cart }]),
    onBoth([{ as: cartV1 }, plaintext]),
  ),
  ...bothWays(
    'source.principal',
    when('source.principal', '*/ns/shop/sa/front'),
    onBoth([{ as: front }]),
    onBoth([{ as: cart }]),
  ),
  ...bothWays(
    'source.serviceAccount',
    when('source.serviceAccount', 'pay/till'),
    onBoth([{ as: till }]),
    onBoth([{ as: cart }]),
  ),
  ...bothWays(
    'connection.sni',
    when('connection.sni', '*.one.example'),
    onBoth([{ as: cart, sni: 'a.one.example' }]),
    onBoth([{ as: cart, sni: 'a.two.example' }, plaintext]),
  ),
  ...bothWays('request.auth.principal', when('request.auth.principal', '*/joe'), [{ token: 1 }], [{ token: 2 }]),
  ...bothWays(
    'request.auth.audiences',
    when('request.auth.audiences', 'api'),
    [{ token: 2 }, { token: 3 }],
    [{ token: 1 }, {}],
  ),
  ...bothWays('request.auth.presenter', when('request.auth.presenter', 'app'), [{ token: 1 }], [{ token: 3 }]),
  ...bothWays(
    'a claim that is a list or a text',
    when('request.auth.claims[groups]', 'dev'),
    [{ token: 1 }, { token: 2 }],
    [{ token: 3 }, { token: 4 }],
  ),
  ...bothWays(
    'a claim in a claim',
    when('request.auth.claims[realm][roles]', 'reader'),
    [{ token: 2 }, { token: 4 }],
    [{ token: 1 }],
  ),
  ...bothWays(
    'a claim that is a truth',
    when('request.auth.claims[admin]', 'true'),
    [{ token: 1 }],
    [{ token: 3 }, { token: 4 }],
  ),
  ...bothWays(
    'a claim that is there',
    when('request.auth.claims[admin]', '*'),
    [{ token: 1 }, { token: 3 }],
    [{ token: 2 }, { token: 4 }],
  ),
  ...bothWays('a claim that is a number', when('request.auth.claims[level]', '5'), [{ token: 1 }], [{ token: 2 }]),
];

const wholeRows: readonly Row[] = [
  { name: 'no policy', policies: [], through: onBoth([{ as: cart }, plaintext]), refused: [] },
  { name: 'ALLOW without rules', policies: [allow()], through: [], refused: onBoth([{ as: cart }, plaintext]) },
  { name: 'ALLOW with an empty rule', policies: [allow({})], through: onBoth([{ as: cart }, plaintext]), refused: [] },
  {
    name: 'DENY beats ALLOW',
    policies: [allow({}), deny(to({ methods: ['PUT'] }))],
    through: [{}],
    refused: [{ method: 'PUT' }],
  },
  {
    name: 'several ALLOW policies add up',
    policies: [allow(to({ methods: ['GET'] })), allow(to({ methods: ['PUT'] }))],
    through: [{}, { method: 'PUT' }],
    refused: [{ method: 'POST' }],
  },
  {
    name: 'members of a rule join by and',
    policies: [
      allow({ ...from({ namespaces: ['shop'] }), ...to({ methods: ['GET'] }), ...when('source.ip', '127.0.0.2') }),
    ],
    through: [{ as: cart, from: '127.0.0.2' }],
    refused: [{ as: cart }, { as: till, from: '127.0.0.2' }, { as: cart, from: '127.0.0.2', method: 'PUT' }],
  },
  {
    name: 'AUDIT does nothing',
    policies: [{ action: 'AUDIT', rules: [{}] }],
    through: onBoth([plaintext]),
    refused: [],
  },
  {
    name: 'on TCP an ALLOW rule with HTTP lets nobody in',
    policies: [allow(to({ methods: ['GET'] }))],
    through: [{}],
    refused: [{ tcp: true }, { tcp: true, as: cart }],
  },
  {
    name: 'on TCP a DENY rule with HTTP keeps out all whom the rest is about',
    policies: [deny({ ...from({ namespaces: ['shop'] }), ...to({ paths: ['/x'] }) })],
    through: [{ as: cart }, { tcp: true, as: till }],
    refused: [
      { as: cart, path: '/x' },
      { tcp: true, as: cart },
    ],
  },
];

/** Every row, for an Envoy on these ports. */
export function accessRows(ports: Ports): readonly Row[] {
  return [...sourceRows, ...nobodyRows, ...operationRows(ports), ...headerRows, ...conditionRows(ports), ...wholeRows];
}
