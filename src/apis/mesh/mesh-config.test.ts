import { describe, expect, it } from 'vitest';
import { type Case, renderIssue } from '../testing/judge.ts';
import { defaultMeshConfig } from './default-mesh-config.ts';
import { extensionProviderSchema, providerKinds } from './extension-provider.ts';
import { parseMeshConfig, parseMeshProxyConfig } from './parse-mesh-config.ts';

function proxy(members: object): object {
  return { defaultConfig: members };
}

const providers = 'extensionProviders[0]';

function provider(members: object): object {
  return { extensionProviders: [{ name: 'a', ...members }] };
}

const cases: readonly Case[] = [
  ['nothing', {}],
  ['Istio’s own rendering', { rootNamespace: '', trustDomain: '', mixerCheckServer: '', defaultConfig: {} }],
  ['an unknown field', { acessLogFile: 'x' }, 'warning XEB0008 acessLogFile'],
  ['an unknown field of the proxy', proxy({ concurency: 2 }), 'warning XEB0008 defaultConfig.concurency'],
  ['a wrong type', { enableTracing: 'yes' }, 'error XEB0001 enableTracing'],
  ['a mixer', { mixerCheckServer: 'istio-policy.istio-system:9091' }],
  [
    'a mixer without port',
    { mixerCheckServer: 'a', mixerReportServer: 'b' },
    'error XEB0901 mixerCheckServer',
    'error XEB0901 mixerReportServer',
  ],
  ['config sources', { configSources: [{ address: 'xds://galley:15010' }, { address: 'k8s://' }, {}] }],
  [
    'a config source that is none',
    { configSources: [{ address: 'galley' }] },
    'error XEB0901 configSources[0].address',
  ],
  [
    'a bad port',
    { proxyListenPort: 0, proxyInboundListenPort: -1, proxyHttpPort: 99_999 },
    'error XEB0105 proxyListenPort',
    'error XEB0105 proxyInboundListenPort',
    'error XEB0105 proxyHttpPort',
  ],
  ['a connect timeout', { connectTimeout: '1h' }],
  ['a long connect timeout', { connectTimeout: '61m' }, 'error XEB0109 connectTimeout'],
  ['no connect timeout', { connectTimeout: '0s' }, 'error XEB0109 connectTimeout'],
  ['detection off', { protocolDetectionTimeout: '0s' }],
  [
    'times that are too fine',
    {
      dnsRefreshRate: '1us',
      tcpKeepalive: { time: '0s', interval: '1us' },
      reportBatchMaxTime: '1us',
      ca: { requestTimeout: '0s' },
    },
    'error XEB0109 dnsRefreshRate',
    'error XEB0109 tcpKeepalive.time',
    'error XEB0109 tcpKeepalive.interval',
    'error XEB0109 reportBatchMaxTime',
    'error XEB0109 ca.requestTimeout',
  ],
  ['a fine detection timeout', { protocolDetectionTimeout: '1us' }, 'error XEB0109 protocolDetectionTimeout'],
  [
    'localities',
    { localityLbSetting: { distribute: [{ from: 'a', to: { a: 50 } }] } },
    'error XEB0307 localityLbSetting.distribute[0].to',
  ],
  ['failover needs no outlier detection here', { localityLbSetting: { failover: [{ from: 'a', to: 'b' }] } }],
  [
    'a bad trust domain',
    { trustDomain: 'a_b', trustDomainAliases: ['ok', ''] },
    'error XEB0907 trustDomain',
    'error XEB0907 trustDomainAliases[1]',
  ],
  [
    'trust domains that cannot stand in an identity',
    { trustDomain: 'Cluster.Local', trustDomainAliases: ['me@project.example.org', `${'a.'.repeat(127)}aa`] },
    'error XEB0907 trustDomain',
    'error XEB0907 trustDomainAliases[0]',
    'error XEB0907 trustDomainAliases[1]',
  ],
  [
    'cipher suites',
    { meshMTLS: { cipherSuites: ['AES128-SHA', 'NO-SUCH'] }, tlsDefaults: { cipherSuites: ['AES256-SHA', ''] } },
    'warning XEB0904 meshMTLS.cipherSuites[1]',
    'warning XEB0904 tlsDefaults.cipherSuites[1]',
  ],
  [
    'service settings',
    { serviceSettings: [{ settings: { clusterLocal: true }, hosts: ['*.a', '-'] }] },
    'error XEB0101 serviceSettings[0].hosts[1]',
  ],
  ['default visibility', { defaultServiceExportTo: ['.', 'a b'] }, 'error XEB0111 defaultServiceExportTo[1]'],
  [
    'selectors',
    {
      discoverySelectors: [
        { matchLabels: { a: 'b' } },
        {
          matchExpressions: [
            { key: 'a', operator: 'In', values: ['b'] },
            { key: 'a', operator: 'Exists' },
          ],
        },
      ],
    },
  ],
  [
    'a bad operator',
    { discoverySelectors: [{ matchExpressions: [{ key: 'a', operator: 'Is' }] }] },
    'error XEB0904 discoverySelectors[0].matchExpressions[0].operator',
  ],
  [
    'an operator without values',
    { discoverySelectors: [{ matchExpressions: [{ key: 'a', operator: 'NotIn' }] }] },
    'error XEB0904 discoverySelectors[0].matchExpressions[0].values',
  ],
  ['curves of mesh mTLS', { meshMTLS: { ecdhCurves: ['P-256'] } }, 'error XEB0904 meshMTLS.ecdhCurves'],
  ['unknown curves', { tlsDefaults: { ecdhCurves: ['P-256', 'P-1'] } }, 'warning XEB0904 tlsDefaults.ecdhCurves[1]'],
  [
    'a format that is no JSON',
    { accessLogEncoding: 'JSON', accessLogFormat: '%A%' },
    'warning XEB0904 accessLogFormat',
  ],
  ['a JSON format', { accessLogEncoding: 'JSON', accessLogFormat: '{"a":"%A%"}' }],
  [
    'what nothing reads',
    { authPolicy: 'MUTUAL_TLS', sdsUdsPath: 'unix:/a', sdsUseK8sSaJwt: false },
    'warning XEB0118 authPolicy',
    'warning XEB0118 sdsUdsPath',
  ],
  ['an enum by number', { outboundTrafficPolicy: { mode: 0 }, h2UpgradePolicy: 1 }],
];

const proxies: readonly Case[] = [
  ['an empty address', proxy({ discoveryAddress: '' }), 'error XEB0903 defaultConfig.discoveryAddress'],
  ['an address without port', proxy({ discoveryAddress: 'a' }), 'error XEB0901 defaultConfig.discoveryAddress'],
  [
    'an empty path',
    proxy({ configPath: '', binaryPath: '', serviceCluster: '' }),
    'error XEB0903 defaultConfig.configPath',
    'error XEB0903 defaultConfig.binaryPath',
    'error XEB0903 defaultConfig.serviceCluster',
  ],
  [
    'two names',
    proxy({ serviceCluster: 'a', tracingServiceName: 'CANONICAL_NAME_ONLY' }),
    'error XEB0005 defaultConfig.tracingServiceName',
  ],
  ['drain times', proxy({ drainDuration: '10s', parentShutdownDuration: '20s', terminationDrainDuration: '0s' })],
  ['a broken second', proxy({ drainDuration: '1.5s' }), 'error XEB0902 defaultConfig.drainDuration'],
  [
    'drain times that are long, and fine',
    proxy({ drainDuration: '2h', parentShutdownDuration: '0s', terminationDrainDuration: '1us' }),
    'warning XEB0902 defaultConfig.drainDuration',
    'warning XEB0902 defaultConfig.parentShutdownDuration',
    'error XEB0109 defaultConfig.terminationDrainDuration',
  ],
  ['no drain', proxy({ drainDuration: '0s' }), 'error XEB0109 defaultConfig.drainDuration'],
  [
    'a parent that leaves first',
    proxy({ drainDuration: '60s' }),
    'warning XEB0902 defaultConfig.parentShutdownDuration',
  ],
  [
    'bad ports',
    proxy({ proxyAdminPort: 0, statusPort: -1 }),
    'error XEB0105 defaultConfig.proxyAdminPort',
    'error XEB0105 defaultConfig.statusPort',
  ],
  ['negative threads', proxy({ concurrency: -1 }), 'warning XEB0904 defaultConfig.concurrency'],
  [
    'a policy of nobody',
    proxy({ controlPlaneAuthPolicy: 'INHERIT' }),
    'error XEB0904 defaultConfig.controlPlaneAuthPolicy',
  ],
  ['zipkin', proxy({ tracing: { zipkin: { address: 'zipkin.istio-system:9411' }, sampling: 100 } })],
  ['datadog on the node', proxy({ tracing: { datadog: { address: '$(HOST_IP):8126' } } })],
  ['zipkin nowhere', proxy({ tracing: { zipkin: {} } }), 'error XEB0903 defaultConfig.tracing.zipkin.address'],
  [
    'two tracers',
    proxy({ tracing: { zipkin: { address: 'a:1' }, datadog: { address: 'a:1' } } }),
    'error XEB0005 defaultConfig.tracing.datadog',
  ],
  ['too many samples', proxy({ tracing: { sampling: 101 } }), 'warning XEB0904 defaultConfig.tracing.sampling'],
  ['less than no samples', proxy({ tracing: { sampling: -1 } }), 'warning XEB0904 defaultConfig.tracing.sampling'],
  [
    'an OpenCensus agent nowhere',
    proxy({ tracing: { openCensusAgent: {} } }),
    'warning XEB0903 defaultConfig.tracing.openCensusAgent.address',
  ],
  [
    'a tracer that asks for certificates',
    proxy({ tracing: { tlsSettings: { mode: 'MUTUAL', privateKey: '/k' } } }),
    'error XEB0309 defaultConfig.tracing.tlsSettings.clientCertificate',
  ],
  ['datadog nowhere', proxy({ tracing: { datadog: {} } }), 'error XEB0903 defaultConfig.tracing.datadog.address'],
  [
    'lightstep nowhere',
    proxy({ tracing: { lightstep: { accessToken: 'x' } } }),
    'error XEB0903 defaultConfig.tracing.lightstep.address',
  ],
  [
    'old addresses',
    proxy({ zipkinAddress: 'a', envoyMetricsServiceAddress: 'b' }),
    'error XEB0901 defaultConfig.zipkinAddress',
    'error XEB0901 defaultConfig.envoyMetricsServiceAddress',
  ],
  ['a probe of nothing', proxy({ readinessProbe: {} }), 'error XEB0508 defaultConfig.readinessProbe'],
  ['lightstep', proxy({ tracing: { lightstep: { address: 'a:1', accessToken: 'x' } } })],
  [
    'lightstep without secrets',
    proxy({ tracing: { lightstep: { address: 'a:1', secure: true } } }),
    'error XEB0903 defaultConfig.tracing.lightstep.accessToken',
    'error XEB0903 defaultConfig.tracing.lightstep.cacertPath',
  ],
  ['a bad statsd', proxy({ statsdUdpAddress: 'a:b' }), 'error XEB0901 defaultConfig.statsdUdpAddress'],
  [
    'a bad metrics service',
    proxy({ envoyMetricsService: { address: 'a' } }),
    'error XEB0901 defaultConfig.envoyMetricsService.address',
  ],
  [
    'an access log service',
    proxy({ envoyAccessLogService: { address: 'a:1', tlsSettings: { mode: 'MUTUAL' } } }),
    'error XEB0309 defaultConfig.envoyAccessLogService.tlsSettings.clientCertificate',
    'error XEB0309 defaultConfig.envoyAccessLogService.tlsSettings.privateKey',
  ],
  [
    'bad statistics',
    proxy({ proxyStatsMatcher: { inclusionRegexps: ['.*', '('] } }),
    'error IST0122 defaultConfig.proxyStatsMatcher.inclusionRegexps[1]',
  ],
  ['a key provider', proxy({ privateKeyProvider: { cryptomb: { pollDelay: '10ms' } } })],
  [
    'an idle key provider',
    proxy({ privateKeyProvider: { qat: {} } }),
    'error XEB0903 defaultConfig.privateKeyProvider.qat.pollDelay',
  ],
  [
    'a tag of no kind',
    proxy({ tracing: { customTags: { a: {} } } }),
    'error XEB0006 defaultConfig.tracing.customTags.a',
  ],
];

const extensions: readonly Case[] = [
  ['a provider', provider({ envoyExtAuthzGrpc: { service: 'ns/a.com', port: 9000 } })],
  [
    'a provider that is nowhere',
    provider({ zipkin: {} }),
    `warning XEB0906 ${providers}.zipkin.service`,
    `warning XEB0906 ${providers}.zipkin.port`,
  ],
  ['a provider of nothing', provider({}), `warning XEB0906 ${providers}`],
  ['a provider without name', { extensionProviders: [{ prometheus: {} }] }, `warning XEB0906 ${providers}.name`],
  [
    'two providers of one name',
    {
      extensionProviders: [
        { name: 'a', prometheus: {} },
        { name: 'a', prometheus: {} },
      ],
    },
    'warning XEB0906 extensionProviders[1].name',
  ],
  ['two types', provider({ prometheus: {}, stackdriver: {} }), `error XEB0005 ${providers}.prometheus`],
  [
    'bad authorizer',
    provider({ envoyExtAuthzHttp: { service: 'a.com', port: 1, statusOnError: '42', pathPrefix: 'a' } }),
    `warning XEB0906 ${providers}.envoyExtAuthzHttp.statusOnError`,
    `warning XEB0906 ${providers}.envoyExtAuthzHttp.pathPrefix`,
  ],
  [
    'an unknown default',
    { ...provider({ prometheus: {} }), defaultProviders: { metrics: ['a', 'b'] } },
    'warning XEB0906 defaultProviders.metrics[1]',
  ],
];

describe.each([
  ['mesh', cases],
  ['proxy', proxies],
  ['providers', extensions],
])('parseMeshConfig: %s', (_, table) => {
  it.each(table)('%s', (_name, body, ...issues) => {
    const parsed = parseMeshConfig(body);
    expect(parsed.issues.map(renderIssue)).toEqual(issues);
    expect(parsed.config === undefined).toBe(parsed.issues.some(({ level }) => level === 'error'));
  });
});

describe('parseMeshConfig: defaults', () => {
  it.each([undefined, null, {}])('%j is the default', (body) => {
    expect(parseMeshConfig(body).config).toEqual(defaultMeshConfig);
  });

  it('are themselves without a fault', () => {
    expect(parseMeshConfig(structuredClone(defaultMeshConfig))).toEqual({ config: defaultMeshConfig, issues: [] });
  });

  it('give way field by field', () => {
    const { config } = parseMeshConfig({ accessLogFile: '/dev/stdout', defaultConfig: { concurrency: 2 } });
    expect(config?.accessLogFile).toBe('/dev/stdout');
    expect(config?.defaultConfig).toEqual({ ...defaultMeshConfig.defaultConfig, concurrency: 2 });
  });

  it('an outbound policy without mode means its zero value', () => {
    expect(parseMeshConfig({ outboundTrafficPolicy: {} }).config?.outboundTrafficPolicy).toEqual({
      mode: 'REGISTRY_ONLY',
    });
  });

  it('a tracing service name takes the place of the service cluster', () => {
    const { config } = parseMeshConfig(proxy({ tracingServiceName: 'CANONICAL_NAME_ONLY' }));
    expect(config?.defaultConfig.serviceCluster).toBeUndefined();
  });

  it.each([[], 'text', 5])('%j is no configuration', (body) => {
    expect(parseMeshConfig(body).config).toBeUndefined();
  });
});

describe('extension providers', () => {
  it('lists every type of provider', () => {
    const { name, ...types } = extensionProviderSchema.shape;
    expect(name).toBeDefined();
    expect(Object.keys(types).sort()).toEqual([...providerKinds].sort());
  });
});

describe('parseMeshProxyConfig', () => {
  const base = defaultMeshConfig.defaultConfig;

  it('gives only what the annotation changes', () => {
    expect(parseMeshProxyConfig({ concurrency: 4 }, base)).toEqual({ config: { concurrency: 4 }, issues: [] });
  });

  it('judges it together with the mesh', () => {
    const { config, issues } = parseMeshProxyConfig({ drainDuration: '1.5s', unknown: 1 }, base);
    expect(config).toBeUndefined();
    expect(issues.map(renderIssue)).toEqual(['warning XEB0008 unknown', 'error XEB0902 drainDuration']);
  });

  it('judges what can be read of it, in the words of its author', () => {
    const { issues } = parseMeshProxyConfig({ concurrency: 'two', drain_duration: '1.5s' }, base);
    expect(issues.map(renderIssue)).toEqual(['error XEB0001 concurrency', 'error XEB0902 drain_duration']);
  });
});
