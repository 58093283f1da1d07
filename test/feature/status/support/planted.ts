import { type Content, isRecord, type Kind } from '../../pilot/support/contents.ts';
import {
  destinationRule,
  gateway,
  type Manifest,
  serviceEntry,
  virtualService,
} from '../../pilot/support/manifests.ts';
import { REVIEWS } from '../../pilot/support/shop.ts';

/** An object that is valid and that some Envoy refuses all the same: in which resource, with which words, because of which field. */
export type Planted = {
  readonly title: string;
  readonly object: Manifest;
  readonly resource: Kind;
  /** What is in the refused resource only. */
  readonly mark: string;
  readonly words: (content: Content) => string;
  readonly field: string;
  readonly at?: 'gateway';
};

const to = [{ destination: { host: REVIEWS } }];
const ok = { match: [{ uri: { prefix: '/ok' } }], route: to };

/** Envoy's words for a field of a route, which it finds by the places of virtual host and route. */
function inRoute(mark: string, tail: string) {
  return ({ message, name }: Content): string => {
    const hosts = listOf(message['virtualHosts']);
    const host = hosts.findIndex((each) => JSON.stringify(each).includes(mark));
    const route = listOf(hosts[host]?.['routes']).findIndex((each) => JSON.stringify(each).includes(mark));
    const head = `RouteConfigurationValidationError.VirtualHosts[${host}]: embedded message failed validation`;
    const next = `caused by VirtualHostValidationError.Routes[${route}]: embedded message failed validation`;
    return `Proto constraint validation failed (${head} | ${next} | caused by ${tail}): name: "${name}" virtual_hosts { name: "…" }`;
  };
}

function listOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

type RouteCase = readonly [title: string, rule: Manifest, words: string, field: string];

const regexError = (regex: string): string =>
  `regex '${regex}' RE2 program size of 5210 > max program size of 100 set for the error level threshold. Increase configured max program size if necessary.`;

/** With `bad` somewhere in the rule, and words that quote, or say nothing of the place. */
const quoted: readonly RouteCase[] = [
  [
    'a regex of a path',
    { match: [{ uri: { regex: '/bad.*' } }], route: to },
    regexError('/bad.*'),
    '.match[0].uri.regex',
  ],
  [
    'a regex of a header',
    { match: [{ headers: { 'x-user': { regex: '^bad.*$' } } }], route: to },
    regexError('^bad.*$'),
    '.match[0].headers.x-user.regex',
  ],
  [
    'a regex of a parameter',
    { match: [{ queryParams: { q: { regex: 'bad+' } } }], route: to },
    'invalid repetition operator in "bad+": no argument for repetition operator',
    '.match[0].queryParams.q.regex',
  ],
  [
    'a cluster that is not known',
    { match: [{ uri: { prefix: '/bad' } }], route: [{ destination: { host: REVIEWS, subset: 'v9' } }] },
    `route: unknown cluster 'outbound|80|v9|${REVIEWS}'`,
    '.route[0].destination',
  ],
  [
    'a body that is too large',
    { match: [{ uri: { prefix: '/bad' } }], directResponse: { status: 200, body: { string: 'x' } } },
    'response body size is 5000 bytes; maximum is 4096',
    '.directResponse',
  ],
  [
    'a header that may not be removed',
    { match: [{ uri: { prefix: '/bad' } }], headers: { request: { remove: ['x-bad'] } }, route: to },
    'header modification not allowed: "x-bad"',
    '.headers.request.remove[0]',
  ],
  [
    'a host to rewrite to',
    { match: [{ uri: { prefix: '/bad' } }], rewrite: { authority: 'bad.example.org' }, route: to },
    "host_rewrite_literal 'bad.example.org' is no host",
    '.rewrite.authority',
  ],
];

type PlacedCase = readonly [title: string, rule: Manifest, tail: string, field: string];

const badMatch = { match: [{ uri: { prefix: '/bad' } }] };

/** Words with the place in Envoy's message. */
const placed: readonly PlacedCase[] = [
  [
    'retries',
    { ...badMatch, route: to, retries: { attempts: 2, retryOn: '5xx' } },
    'RouteValidationError.Route: embedded message failed validation | caused by RouteActionValidationError.RetryPolicy: embedded message failed validation | caused by RetryPolicyValidationError.HostSelectionRetryMaxAttempts: value must be greater than 0',
    '.retries',
  ],
  [
    'a timeout',
    { ...badMatch, route: to, timeout: '3s' },
    'RouteActionValidationError.Timeout: value is not a valid duration',
    '.timeout',
  ],
  [
    'cors',
    { ...badMatch, route: to, corsPolicy: { allowOrigins: [{ exact: 'https://a.example.com' }] } },
    'CorsPolicyValidationError.AllowOriginStringMatch[0]: embedded message failed validation',
    '.corsPolicy',
  ],
  [
    'a fault',
    { ...badMatch, route: to, fault: { abort: { httpStatus: 503, percentage: { value: 10 } } } },
    'HTTPFaultValidationError.Abort: embedded message failed validation',
    '.fault',
  ],
  [
    'a redirect',
    { ...badMatch, redirect: { uri: '/elsewhere' } },
    'RouteValidationError.Redirect: embedded message failed validation | caused by RedirectActionValidationError.PathRedirect: value does not match regex pattern',
    '.redirect',
  ],
  [
    'a rewrite',
    { ...badMatch, route: to, rewrite: { uri: '/other' } },
    'RouteActionValidationError.PrefixRewrite: value does not match regex pattern',
    '.rewrite',
  ],
  [
    'a mirror',
    { ...badMatch, route: to, mirror: { host: REVIEWS } },
    'RouteActionValidationError.RequestMirrorPolicies[0]: embedded message failed validation',
    '.mirror',
  ],
  [
    'headers',
    { ...badMatch, route: to, headers: { response: { set: { 'x-a': '1' } } } },
    'RouteValidationError.ResponseHeadersToAdd[0]: embedded message failed validation',
    '.headers',
  ],
  [
    'weights',
    {
      ...badMatch,
      route: [
        { ...to[0], weight: 50 },
        { destination: { host: REVIEWS, port: { number: 80 } }, weight: 50 },
      ],
    },
    'WeightedClusterValidationError.TotalWeight: value must be greater than 0',
    '.route',
  ],
  ['a match', { ...badMatch, route: to }, 'RouteValidationError.Match: embedded message failed validation', '.match'],
];

function planted(rule: Manifest): Manifest {
  return virtualService('shop/planted', { hosts: ['planted.example.com'], http: [ok, rule] });
}

const routes: readonly Planted[] = [
  ...quoted.map(
    ([title, rule, words, field]): Planted => ({
      title: `route: ${title}`,
      object: planted(rule),
      resource: 'route',
      mark: /v9/.test(words) ? 'outbound|80|v9|' : 'bad',
      words: () => words,
      field: `spec.http[1]${field}`,
    }),
  ),
  ...placed.map(
    ([title, rule, tail, field]): Planted => ({
      title: `route: ${title}`,
      object: planted(rule),
      resource: 'route',
      mark: '/bad',
      words: inRoute('/bad', tail),
      field: `spec.http[1]${field}`,
    }),
  ),
  {
    title: 'route: a domain given twice',
    object: virtualService('shop/planted', { hosts: ['bad.example.com'], http: [{ route: to }] }),
    resource: 'route',
    mark: 'bad.example.com',
    words: ({ name }) =>
      `Only unique values for domains are permitted. Duplicate entry of domain bad.example.com in route ${name}`,
    field: 'spec.hosts[0]',
  },
  {
    title: 'route: wildcards',
    object: virtualService('shop/planted', { hosts: ['bad.example.com'], http: [{ route: to }] }),
    resource: 'route',
    mark: 'bad.example.com',
    words: ({ name }) => `Only a single wildcard domain is permitted in route ${name}`,
    field: 'spec.hosts',
  },
];

type ClusterCase = readonly [title: string, policy: Manifest, words: string, field: string];

const clusterCases: readonly ClusterCase[] = [
  [
    'outlier detection',
    { outlierDetection: { consecutive5xxErrors: 5, interval: '1s' } },
    'Proto constraint validation failed (ClusterValidationError.OutlierDetection: embedded message failed validation | caused by OutlierDetectionValidationError.Interval: value must be greater than 0s): name: "x"',
    '.outlierDetection',
  ],
  [
    'circuit breakers',
    { connectionPool: { tcp: { maxConnections: 1 } } },
    'Proto constraint validation failed (ClusterValidationError.CircuitBreakers: embedded message failed validation): name: "x"',
    '.connectionPool',
  ],
  [
    'keep-alive',
    { connectionPool: { tcp: { tcpKeepalive: { time: '7200s' } } } },
    'Setting socket option for tcp_keepalive failed',
    '.connectionPool',
  ],
  [
    'a CA that is not there',
    { tls: { mode: 'SIMPLE', caCertificates: '/etc/none/ca.pem' } },
    'Invalid path: /etc/none/ca.pem',
    '.tls.caCertificates',
  ],
  [
    'a client certificate',
    {
      tls: {
        mode: 'MUTUAL',
        clientCertificate: '/etc/c/cert.pem',
        privateKey: '/etc/c/key.pem',
        caCertificates: '/etc/c/ca.pem',
      },
    },
    'Failed to load certificate chain from /etc/c/cert.pem, only P-256, P-384 or P-521 ECDSA certificates are supported',
    '.tls.clientCertificate',
  ],
  [
    'a private key',
    {
      tls: {
        mode: 'MUTUAL',
        clientCertificate: '/etc/c/cert.pem',
        privateKey: '/etc/c/key.pem',
        caCertificates: '/etc/c/ca.pem',
      },
    },
    'Failed to load private key from /etc/c/key.pem, Cause: error:1e000065:Cipher functions:OPENSSL_internal:BAD_DECRYPT',
    '.tls.privateKey',
  ],
  [
    'a server name',
    { tls: { mode: 'SIMPLE', sni: 'bad.example.com' } },
    "SNI 'bad.example.com' is no server name",
    '.tls.sni',
  ],
  [
    'a ring',
    { loadBalancer: { consistentHash: { useSourceIp: true, ringHash: { minimumRingSize: 2048 } } } },
    'ring hash: minimum_ring_size (2048) > maximum_ring_size (1024)',
    '.loadBalancer',
  ],
  [
    'a Maglev table',
    { loadBalancer: { consistentHash: { useSourceIp: true, maglev: { tableSize: 65537 } } } },
    'The table size of maglev must be prime number',
    '.loadBalancer',
  ],
  [
    'slow start',
    { loadBalancer: { simple: 'ROUND_ROBIN', warmup: { duration: '10s' } } },
    'Proto constraint validation failed (RoundRobinLbConfigValidationError.SlowStartConfig: embedded message failed validation): name: "x"',
    '.loadBalancer',
  ],
];

function clusterWords(subset: string, words: string): Planted['words'] {
  return ({ name }) => (name.includes(`|${subset}|`) ? `Error adding/updating cluster(s) ${name}: ${words}` : words);
}

const forDb = 'db.shop.svc.cluster.local';

const clusters: readonly Planted[] = [
  ...clusterCases.map(
    ([title, trafficPolicy, words, field]): Planted => ({
      title: `cluster: ${title}`,
      object: destinationRule('shop/planted', { host: forDb, trafficPolicy }),
      resource: 'cluster',
      mark: `outbound|9000||${forDb}`,
      words: clusterWords('', words),
      field: `spec.trafficPolicy${field}`,
    }),
  ),
  ...clusterCases.map(
    ([title, trafficPolicy, words, field]): Planted => ({
      title: `cluster of a subset: ${title}`,
      object: destinationRule('shop/planted', {
        host: forDb,
        subsets: [{ name: 'v1' }, { name: 'v2', trafficPolicy }],
      }),
      resource: 'cluster',
      mark: `outbound|9000|v2|${forDb}`,
      words: clusterWords('v2', words),
      field: `spec.subsets[1].trafficPolicy${field}`,
    }),
  ),
];

function entry(more: Manifest): Manifest {
  const ports = [{ number: 9443, name: 'tcp', protocol: 'TCP' }];
  return serviceEntry('shop/planted', { hosts: ['bad.example.net'], ports, addresses: ['240.1.2.3'], ...more });
}

const entries: readonly Planted[] = [
  {
    title: 'cluster of an entry: an address',
    object: entry({ resolution: 'DNS', endpoints: [{ address: 'one.example.org' }, { address: 'two.example.org' }] }),
    resource: 'cluster',
    mark: 'outbound|9443||bad.example.net',
    words: clusterWords(
      '',
      'malformed IP address: two.example.org. Consider setting resolver_name or setting cluster type',
    ),
    field: 'spec.endpoints[1].address',
  },
  {
    title: 'endpoints of an entry',
    object: entry({ resolution: 'STATIC', endpoints: [{ address: '10.66.0.1' }] }),
    resource: 'endpoint',
    mark: 'outbound|9443||bad.example.net',
    words: ({ name }) =>
      `Proto constraint validation failed (ClusterLoadAssignmentValidationError.Endpoints[0]: value is required): cluster_name: "${name}"`,
    field: 'spec.endpoints',
  },
  {
    title: 'listener of an entry',
    object: entry({ resolution: 'STATIC', endpoints: [{ address: '10.66.0.1' }] }),
    resource: 'listener',
    mark: '240.1.2.3',
    words: ({ name }) => `Error adding/updating listener(s) ${name}: malformed IP address: 240.1.2.3`,
    field: 'spec.addresses[0]',
  },
];

const server = (tls: Manifest): Manifest =>
  gateway('shop/planted', {
    selector: { app: 'ingress' },
    servers: [
      { port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['ok.example.com'] },
      { port: { number: 8443, name: 'https', protocol: 'HTTPS' }, hosts: ['bad.example.com'], tls },
    ],
  });

const files = { mode: 'SIMPLE', serverCertificate: '/etc/gw/cert.pem', privateKey: '/etc/gw/key.pem' };

function listenerWords(words: string): Planted['words'] {
  return ({ name }) => `Error adding/updating listener(s) ${name}: ${words}`;
}

const gateways: readonly Planted[] = [
  [
    'a certificate',
    server(files),
    'Failed to load incomplete certificate from /etc/gw/cert.pem: certificate chain not set',
    '.tls.serverCertificate',
  ],
  ['a key', server(files), 'Invalid path: /etc/gw/key.pem', '.tls.privateKey'],
  [
    'ciphers',
    server({ ...files, cipherSuites: ['ECDHE-RSA-AES128-SHA'] }),
    'Failed to initialize cipher suites ECDHE-RSA-AES128-SHA. The following ciphers were rejected when tried individually: ECDHE-RSA-AES128-SHA',
    '.tls',
  ],
  [
    'server names',
    server(files),
    "error adding listener '0.0.0.0:8443': filter chain has the same matching rules defined: server name 'bad.example.com'",
    '.hosts[0]',
  ],
].map(
  ([title, object, words, field]): Planted => ({
    title: `listener of a gateway: ${String(title)}`,
    object: object as Manifest,
    resource: 'listener',
    mark: 'bad.example.com',
    words: listenerWords(String(words)),
    field: `spec.servers[1]${String(field)}`,
    at: 'gateway',
  }),
);

export const allPlanted: readonly Planted[] = [...routes, ...clusters, ...entries, ...gateways];
