import { destinationRule, gateway, type Manifest, serviceEntry } from '../../pilot/support/manifests.ts';
import type { Planted } from './planted.ts';

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
    'Failed to load incomplete private key from path: /etc/c/key.pem',
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

const gatewayCases: readonly ClusterCase[] = [
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
];

const gateways = gatewayCases.map(
  ([title, object, words, field]): Planted => ({
    title: `listener of a gateway: ${title}`,
    object,
    resource: 'listener',
    mark: 'bad.example.com',
    words: listenerWords(words),
    field: `spec.servers[1]${field}`,
    at: 'gateway',
  }),
);

export const plantedElsewhere: readonly Planted[] = [...clusters, ...entries, ...gateways];
