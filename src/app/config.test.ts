import { describe, expect, test } from 'vitest';
import { type Flags, parseProcessConfig } from './config.ts';

function parse(flags: Flags, environment: Readonly<Record<string, string>> = {}) {
  const parsed = parseProcessConfig(flags, environment);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

function errorOf(flags: Flags, environment: Readonly<Record<string, string>> = {}): string {
  const parsed = parseProcessConfig(flags, environment);
  return parsed.ok ? '' : parsed.error;
}

const defaults = {
  source: 'mesh',
  kubernetes: false,
  kubeconfig: undefined,
  context: undefined,
  configSources: [],
  configSourceIdentity: undefined,
  secretNamespaces: [],
  namespace: 'istio-system',
  replica: undefined,
  service: 'xebec',
  monitoring: undefined,
  webhook: undefined,
  webhookCertFile: undefined,
  webhookKeyFile: undefined,
  mcp: undefined,
  caCertsFolder: undefined,
  rootCertFile: undefined,
  workloadCertTtlMs: 86_400_000,
  maxWorkloadCertTtlMs: 90 * 86_400_000,
  caCertTtlMs: 3650 * 86_400_000,
  rootAnnounceMs: 86_400_000,
  workloadCertGracePeriodRatio: 0.5,
  workloadCertMinGraceMs: 600_000,
  citadelEnableNamespacesByDefault: true,
  listenedNamespaces: [],
  meshConfig: undefined,
  controllers: ['galley', 'pilot', 'citadel'],
  jwksCa: undefined,
  jwksAllowedCidrs: [],
  xds: undefined,
  xdsNames: [],
  xdsPlaintext: { host: '127.0.0.1', port: 15_010 },
  tokenAudiences: ['istio-ca'],
  trustedNodeAccounts: [],
  configConsumers: [],
  admin: { host: '127.0.0.1', port: 8080 },
  logLevel: 'info',
  domain: 'cluster.local',
  debounceAfterMs: 100,
  debounceMaxMs: 10_000,
};

/** Each setting: its flag, its variables, a text and what it means. */
const settings: readonly (readonly [keyof Flags, readonly string[], string, unknown])[] = [
  ['source', ['XEBEC_SOURCE'], '/etc/mesh', '/etc/mesh'],
  ['kubernetes', ['XEBEC_KUBERNETES'], 'true', true],
  ['kubeconfig', ['XEBEC_KUBECONFIG', 'KUBECONFIG'], '/etc/kube', '/etc/kube'],
  ['context', ['XEBEC_CONTEXT'], 'kind-kind', 'kind-kind'],
  ['secretNamespaces', ['XEBEC_SECRET_NAMESPACES'], 'edge, *', ['edge', '*']],
  ['configSources', ['XEBEC_CONFIG_SOURCE'], 'xds://a:1, fs:///b', ['xds://a:1', 'fs:///b']],
  ['configSourceIdentity', ['XEBEC_CONFIG_SOURCE_IDENTITY'], '/etc/certs', '/etc/certs'],
  ['namespace', ['XEBEC_NAMESPACE', 'POD_NAMESPACE'], '007', '007'],
  ['replica', ['XEBEC_REPLICA', 'POD_NAME'], 'xebec-1', 'xebec-1'],
  ['service', ['XEBEC_SERVICE'], 'xebec-canary', 'xebec-canary'],
  ['monitoring', ['XEBEC_MONITORING'], '0.0.0.0:15014', { host: '0.0.0.0', port: 15_014 }],
  ['mcp', ['XEBEC_MCP'], '0.0.0.0:9901', { host: '0.0.0.0', port: 9901 }],
  ['caCertsFolder', ['XEBEC_CA_CERTS_FOLDER'], '/etc/cacerts', '/etc/cacerts'],
  ['rootCertFile', ['XEBEC_ROOT_CERT_FILE'], '/etc/roots.pem', '/etc/roots.pem'],
  ['workloadCertTtlMs', ['XEBEC_WORKLOAD_CERT_TTL', 'DEFAULT_WORKLOAD_CERT_TTL'], '90s', 90_000],
  ['maxWorkloadCertTtlMs', ['XEBEC_MAX_WORKLOAD_CERT_TTL', 'MAX_WORKLOAD_CERT_TTL'], '30d', 30 * 86_400_000],
  ['caCertTtlMs', ['XEBEC_CA_CERT_TTL', 'CITADEL_SELF_SIGNED_CA_CERT_TTL'], '365d', 365 * 86_400_000],
  ['rootAnnounceMs', ['XEBEC_ROOT_ANNOUNCE'], '2h', 7_200_000],
  ['meshConfig', ['XEBEC_MESH_CONFIG'], 'mesh.yaml', 'mesh.yaml'],
  ['controllers', ['XEBEC_CONTROLLERS'], 'galley', ['galley']],
  ['jwksCa', ['XEBEC_JWKS_CA'], '/etc/ca.pem', '/etc/ca.pem'],
  ['jwksAllowedCidrs', ['XEBEC_JWKS_ALLOWED_CIDRS'], '10.0.0.0/8', ['10.0.0.0/8']],
  ['xds', ['XEBEC_XDS'], '0.0.0.0:15012', { host: '0.0.0.0', port: 15_012 }],
  ['xdsNames', ['XEBEC_XDS_NAMES'], '10.0.0.1, xds.example', ['10.0.0.1', 'xds.example']],
  ['tokenAudiences', ['XEBEC_TOKEN_AUDIENCES', 'TOKEN_AUDIENCES'], 'istio-ca,mesh', ['istio-ca', 'mesh']],
  [
    'trustedNodeAccounts',
    ['XEBEC_CA_TRUSTED_NODE_ACCOUNTS', 'CA_TRUSTED_NODE_ACCOUNTS'],
    'istio-system/ztunnel',
    ['istio-system/ztunnel'],
  ],
  ['configConsumers', ['XEBEC_CONFIG_CONSUMERS'], 'tools/reader', ['tools/reader']],
  ['xdsPlaintext', ['XEBEC_XDS_PLAINTEXT'], '0.0.0.0:1', { host: '0.0.0.0', port: 1 }],
  ['admin', ['XEBEC_ADMIN'], '[::1]:0', { host: '::1', port: 0 }],
  ['logLevel', ['XEBEC_LOG_LEVEL'], 'debug', 'debug'],
  ['domain', ['XEBEC_DOMAIN'], 'example.org', 'example.org'],
  ['debounceAfterMs', ['XEBEC_DEBOUNCE_AFTER', 'PILOT_DEBOUNCE_AFTER'], '50ms', 50],
  ['debounceMaxMs', ['XEBEC_DEBOUNCE_MAX', 'PILOT_DEBOUNCE_MAX'], '1.5s', 1_500],
];

describe('process configuration', () => {
  test('has a default for everything but the source', () => {
    expect(parse({ source: 'mesh' })).toEqual(defaults);
  });

  test.each(settings)('%s comes from its flag or its variables %j', (name, variables, text, value) => {
    const expected = { ...defaults, ...(name === 'xds' ? { xdsPlaintext: undefined } : {}), [name]: value };
    expect(parse({ source: 'mesh', [name]: text })).toEqual(expected);
    for (const variable of variables) {
      const flags = name === 'source' ? {} : { source: 'mesh' };
      expect(parse(flags, { [variable]: text })).toEqual(expected);
    }
  });

  test('a flag has the say over the environment, and our own variable over Istio’s', () => {
    const environment = { XEBEC_DEBOUNCE_AFTER: '20ms', PILOT_DEBOUNCE_AFTER: '30ms' };
    expect(parse({ source: 'mesh', debounceAfterMs: '10ms' }, environment).debounceAfterMs).toBe(10);
    expect(parse({ source: 'mesh' }, environment).debounceAfterMs).toBe(20);
  });

  test('an empty variable says nothing', () => {
    expect(parse({ source: 'mesh' }, { XEBEC_ADMIN: '', XEBEC_DOMAIN: '' })).toEqual(defaults);
    expect(parse({ source: 'mesh' }, { XEBEC_DEBOUNCE_MAX: '', PILOT_DEBOUNCE_MAX: '2s' }).debounceMaxMs).toBe(2_000);
  });

  test('the port without TLS can be off', () => {
    expect(parse({ source: 'mesh', xdsPlaintext: 'off' }).xdsPlaintext).toBeUndefined();
    expect(parse({ source: 'mesh', xds: '0.0.0.0:15012' }).xdsPlaintext).toBeUndefined();
    expect(parse({ source: 'mesh', xds: '0.0.0.0:15012', xdsPlaintext: '127.0.0.1:1' }).xdsPlaintext?.port).toBe(1);
  });

  test('controllers are listed once each, in the order of the process', () => {
    expect(parse({ source: 'mesh', controllers: 'pilot, galley,pilot' }).controllers).toEqual(['galley', 'pilot']);
  });

  test.each([
    [
      'a source that nobody gave',
      {},
      '--source: is missing; give a folder of YAML to serve, or a cluster with --kubernetes',
    ],
    ['a source of nothing', { source: '' }, '--source: names no folder'],
    ['a switch that is none', { source: 'm', kubernetes: 'yes' }, '--kubernetes: must be true or false'],
    ['a namespace that is none', { source: 'm', namespace: 'A_b' }, '--namespace: is no name of Kubernetes'],
    [
      'a webhook without a certificate',
      { source: 'm', webhook: '127.0.0.1:0' },
      '--webhook: needs a certificate; give --webhook-cert-file and --webhook-key-file',
    ],
    [
      'a config source that is none',
      { configSources: 'xds://galley' },
      '--config-source: "xds://galley" is no config source: write xds://host:port, mcp://host:port, host:port (MCP), fs:///folder or k8s://',
    ],
    [
      'the cluster as a config source',
      { configSources: 'k8s://' },
      '--config-source: k8s:// is what is read without this setting; leave it out, and give --kubernetes',
    ],
    [
      'half a certificate',
      { source: 'm', webhookCertFile: 'a' },
      '--webhook-cert-file and --webhook-key-file: give both or none',
    ],
    [
      'an address without a port',
      { source: 'm', admin: 'localhost' },
      '--admin: "localhost" is no address; write host:port, such as 127.0.0.1:15010',
    ],
    [
      'a port that is none',
      { source: 'm', xdsPlaintext: '127.0.0.1:65536' },
      '--xds-plaintext: "127.0.0.1:65536" is no address; write host:port, such as 127.0.0.1:15010',
    ],
    [
      'an IPv6 address without brackets',
      { source: 'm', admin: '::1:8080' },
      '--admin: "::1:8080" is no address; write host:port, such as 127.0.0.1:15010',
    ],
    [
      'TLS without an authority',
      { source: 'm', xds: '127.0.0.1:0', controllers: 'pilot' },
      '--xds: needs a certificate of the mesh; run the controller citadel too, or give --kubernetes or --ca-certs-folder',
    ],
    [
      'an account without a namespace',
      { source: 'm', trustedNodeAccounts: 'ztunnel' },
      '--ca-trusted-node-accounts: lists something else than accounts, such as istio-system/ztunnel',
    ],
    ['no audience', { source: 'm', tokenAudiences: ' , ' }, '--token-audiences: names no audience'],
    ['a mesh configuration of nothing', { source: 'm', meshConfig: '' }, '--mesh-config: names no file'],
    ['a level', { source: 'm', logLevel: 'loud' }, '--log-level: must be debug, info, warn or error'],
    [
      'a duration without a unit',
      { source: 'm', debounceAfterMs: '100' },
      '--debounce-after: "100" is no duration; write 100ms or 10s',
    ],
    [
      'a lifetime without a unit',
      { source: 'm', caCertTtlMs: '3650' },
      '--ca-cert-ttl: "3650" is no lifetime; write 30m, 24h or 90d',
    ],
    [
      'a lifetime of nothing',
      { source: 'm', workloadCertTtlMs: '0h' },
      '--workload-cert-ttl: "0h" is no lifetime; write 30m, 24h or 90d',
    ],
    [
      'a workload that outlives the longest that one may ask for',
      { source: 'm', workloadCertTtlMs: '91d' },
      '--workload-cert-ttl: is longer than --max-workload-cert-ttl',
    ],
    [
      'a workload that outlives its root',
      { source: 'm', caCertTtlMs: '1h' },
      '--workload-cert-ttl: is longer than --ca-cert-ttl',
    ],
    [
      'a controller that there is not',
      { source: 'm', controllers: 'galley,mixer' },
      '--controllers: unknown controller "mixer"; there are galley, pilot, citadel',
    ],
    [
      'no controller at all',
      { source: 'm', controllers: '' },
      '--controllers: unknown controller ""; there are galley, pilot, citadel',
    ],
  ])('%s is refused in the words of who gave it', (_, flags, message) => {
    expect(errorOf(flags)).toBe(message);
  });

  test('each mistake has its line, and a variable is named as such', () => {
    expect(errorOf({ admin: 'x' }, { XEBEC_SOURCE: 'm', PILOT_DEBOUNCE_AFTER: 'soon' })).toBe(
      [
        '--admin: "x" is no address; write host:port, such as 127.0.0.1:15010',
        'PILOT_DEBOUNCE_AFTER: "soon" is no duration; write 100ms or 10s',
      ].join('\n'),
    );
  });
});
