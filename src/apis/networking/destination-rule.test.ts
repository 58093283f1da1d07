import { describe, expect, it } from 'vitest';
import { type Case, judge } from '../testing/judge.ts';

/** A DestinationRule with this traffic policy. */
function policy(trafficPolicy: object): object {
  return { host: 'reviews', trafficPolicy };
}

function balancer(loadBalancer: object): object {
  return policy({ loadBalancer });
}

const at = 'spec.trafficPolicy';

const rules: readonly Case[] = [
  ['a host', { host: 'reviews' }],
  ['a wildcard', { host: '*.example.com' }],
  ['*', { host: '*' }],
  ['no host', {}, 'error XEB0002 spec.host'],
  ['a bad host', { host: 'a..b' }, 'error XEB0101 spec.host'],
  ['subsets', { host: 'a', subsets: [{ name: 'v1', labels: { version: 'v1' } }, { name: 'v2' }] }],
  ['a subset without name', { host: 'a', subsets: [{}] }, 'error XEB0002 spec.subsets[0].name'],
  ['a subset with an empty name', { host: 'a', subsets: [{ name: '' }] }, 'error XEB0103 spec.subsets[0].name'],
  [
    'a bad subset label',
    { host: 'a', subsets: [{ name: 'a', labels: { v: 'a b' } }] },
    'error XEB0104 spec.subsets[0].labels.v',
  ],
  ['a subset twice', { host: 'a', subsets: [{ name: 'a' }, { name: 'a' }] }, 'warning XEB0303 spec.subsets[1].name'],
  [
    'an empty subset policy',
    { host: 'a', subsets: [{ name: 'a', trafficPolicy: {} }] },
    'error XEB0301 spec.subsets[0].trafficPolicy',
  ],
  ['export', { host: 'a', exportTo: ['.', 'other'] }],
  ['export twice', { host: 'a', exportTo: ['a', 'a'] }, 'error XEB0111 spec.exportTo[1]'],
  ['a selector', { host: 'a', workloadSelector: { matchLabels: { app: 'a' } }, exportTo: ['.'] }],
  ['a selector by name', { host: 'a', workloadSelector: { matchLabels: { app: 'a' } }, exportTo: ['shop'] }],
  ['an empty selector', { host: 'a', workloadSelector: {} }, 'warning XEB0117 spec.workloadSelector.matchLabels'],
  [
    'a selector with a wildcard',
    { host: 'a', workloadSelector: { matchLabels: { app: 'a*' } } },
    'error XEB0117 spec.workloadSelector.matchLabels.app',
  ],
  [
    'a selector that is exported',
    { host: 'a', workloadSelector: { matchLabels: { app: 'a' } }, exportTo: ['*'] },
    'error XEB0111 spec.exportTo[0]',
  ],
];

const policies: readonly Case[] = [
  ['an empty policy', policy({}), `error XEB0301 ${at}`],
  ['a policy for a port', policy({ portLevelSettings: [{ port: { number: 80 }, tls: { mode: 'DISABLE' } }] })],
  [
    'a policy for no port',
    policy({ portLevelSettings: [{ tls: {} }] }),
    `error XEB0002 ${at}.portLevelSettings[0].port`,
  ],
  [
    'a bad policy for a port',
    policy({ portLevelSettings: [{ port: { number: 80 }, connectionPool: {} }] }),
    `error XEB0301 ${at}.portLevelSettings[0].connectionPool`,
  ],
  [
    'an empty policy for a port',
    policy({ portLevelSettings: [{ port: { number: 80 } }] }),
    `error XEB0301 ${at}.portLevelSettings[0]`,
  ],
  ['a tunnel', policy({ tunnel: { protocol: 'POST', targetHost: 'a.com', targetPort: 443 } })],
  ['a tunnel to an address', policy({ tunnel: { targetHost: '::1', targetPort: 443 } })],
  [
    'a tunnel by GET',
    policy({ tunnel: { protocol: 'GET', targetHost: 'a', targetPort: 1 } }),
    `error XEB0310 ${at}.tunnel.protocol`,
  ],
  [
    'a tunnel to nowhere',
    policy({ tunnel: { targetHost: '*', targetPort: 0 } }),
    `error XEB0310 ${at}.tunnel.targetHost`,
    `error XEB0105 ${at}.tunnel.targetPort`,
  ],
  ['proxy protocol', policy({ proxyProtocol: { version: 'V2' } })],
  [
    'proxy protocol in a tunnel',
    policy({ proxyProtocol: {}, tunnel: { targetHost: 'a', targetPort: 1 } }),
    `error XEB0302 ${at}.proxyProtocol`,
  ],
  ['a retry budget', policy({ retryBudget: { percent: 20.5, minRetryConcurrency: 3 } })],
  ['a retry budget above all', policy({ retryBudget: { percent: 101 } }), `error XEB0110 ${at}.retryBudget.percent`],
  [
    'outliers',
    policy({
      outlierDetection: {
        consecutive5xxErrors: 7,
        interval: '5m',
        baseEjectionTime: '15m',
        maxEjectionPercent: 100,
        minHealthPercent: 0,
      },
    }),
  ],
  [
    'outliers in the old words',
    policy({ outlierDetection: { consecutiveErrors: 7 } }),
    `warning IST0002 ${at}.outlierDetection.consecutiveErrors`,
  ],
  [
    'negative errors',
    policy({ outlierDetection: { consecutiveErrors: -1 } }),
    `warning XEB0118 ${at}.outlierDetection.consecutiveErrors`,
    `warning IST0002 ${at}.outlierDetection.consecutiveErrors`,
  ],
  ['a bad interval', policy({ outlierDetection: { interval: '0s' } }), `error XEB0109 ${at}.outlierDetection.interval`],
  [
    'a bad ejection time',
    policy({ outlierDetection: { baseEjectionTime: '1us' } }),
    `error XEB0109 ${at}.outlierDetection.baseEjectionTime`,
  ],
  [
    'a bad ejection share',
    policy({ outlierDetection: { maxEjectionPercent: 101 } }),
    `error XEB0110 ${at}.outlierDetection.maxEjectionPercent`,
  ],
  [
    'a bad health share',
    policy({ outlierDetection: { minHealthPercent: -1 } }),
    `error XEB0110 ${at}.outlierDetection.minHealthPercent`,
  ],
  [
    'local failures',
    policy({ outlierDetection: { splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailures: 3 } }),
  ],
  [
    'local failures that nobody counts',
    policy({ outlierDetection: { consecutiveLocalOriginFailures: 3 } }),
    `error XEB0302 ${at}.outlierDetection.consecutiveLocalOriginFailures`,
  ],
  [
    'a pool',
    policy({
      connectionPool: {
        tcp: {
          maxConnections: 1,
          connectTimeout: '30ms',
          idleTimeout: '0s',
          tcpKeepalive: { time: '7200s', probes: 9 },
        },
        http: { idleTimeout: '1h', h2UpgradePolicy: 'UPGRADE' },
      },
    }),
  ],
  ['an empty pool', policy({ connectionPool: {} }), `error XEB0301 ${at}.connectionPool`],
  [
    'a negative pool',
    policy({
      connectionPool: {
        http: {
          http1MaxPendingRequests: -1,
          http2MaxRequests: -2,
          maxRequestsPerConnection: -3,
          maxRetries: -4,
          maxConcurrentStreams: -5,
        },
        tcp: { maxConnections: -1 },
      },
    }),
    `error XEB0116 ${at}.connectionPool.http.http1MaxPendingRequests`,
    `error XEB0116 ${at}.connectionPool.http.http2MaxRequests`,
    `error XEB0116 ${at}.connectionPool.http.maxRequestsPerConnection`,
    `error XEB0116 ${at}.connectionPool.http.maxRetries`,
    `error XEB0116 ${at}.connectionPool.http.maxConcurrentStreams`,
    `error XEB0116 ${at}.connectionPool.tcp.maxConnections`,
  ],
  [
    'bad times of a pool',
    policy({
      connectionPool: { http: { idleTimeout: '0s' }, tcp: { connectTimeout: '0s', maxConnectionDuration: '1us' } },
    }),
    `error XEB0109 ${at}.connectionPool.http.idleTimeout`,
    `error XEB0109 ${at}.connectionPool.tcp.connectTimeout`,
    `error XEB0109 ${at}.connectionPool.tcp.maxConnectionDuration`,
  ],
  [
    'a bad keepalive',
    policy({ connectionPool: { tcp: { idleTimeout: '1us', tcpKeepalive: { time: '1us', interval: '0s' } } } }),
    `error XEB0109 ${at}.connectionPool.tcp.idleTimeout`,
    `error XEB0109 ${at}.connectionPool.tcp.tcpKeepalive.time`,
    `error XEB0109 ${at}.connectionPool.tcp.tcpKeepalive.interval`,
  ],
  [
    'the client’s protocol, upgraded',
    policy({ connectionPool: { http: { useClientProtocol: true, h2UpgradePolicy: 'UPGRADE' } } }),
    `error XEB0302 ${at}.connectionPool.http.useClientProtocol`,
  ],
];

const hash = `${at}.loadBalancer.consistentHash`;

const balancers: readonly Case[] = [
  ['each simple balancer', balancer({ simple: 'LEAST_CONN', warmupDurationSecs: '30s' })],
  [
    'simple and hash',
    balancer({ simple: 'RANDOM', consistentHash: { useSourceIp: true } }),
    `error XEB0005 ${at}.loadBalancer.consistentHash`,
  ],
  ['a cookie', balancer({ consistentHash: { httpCookie: { name: 'user', ttl: '0s' } } })],
  ['a cookie without ttl', balancer({ consistentHash: { httpCookie: { name: 'user' } } })],
  [
    'a cookie without name',
    balancer({ consistentHash: { httpCookie: { ttl: '0s' } } }),
    `error XEB0306 ${hash}.httpCookie.name`,
  ],
  [
    'two keys',
    balancer({ consistentHash: { httpHeaderName: 'a', useSourceIp: true } }),
    `error XEB0005 ${hash}.useSourceIp`,
  ],
  [
    'two algorithms',
    balancer({ consistentHash: { useSourceIp: true, ringHash: {}, maglev: { tableSize: 5 } } }),
    `error XEB0005 ${hash}.maglev`,
  ],
  [
    'the old ring',
    balancer({ consistentHash: { useSourceIp: true, minimumRingSize: 1024 } }),
    `warning IST0002 ${hash}.minimumRingSize`,
  ],
  [
    'the old ring and the new',
    balancer({ consistentHash: { useSourceIp: true, minimumRingSize: 1024, ringHash: { minimumRingSize: 1 } } }),
    `warning IST0002 ${hash}.minimumRingSize`,
    `error XEB0306 ${hash}.minimumRingSize`,
  ],
  ['maglev', balancer({ consistentHash: { useSourceIp: true, maglev: { tableSize: 65_537 } } })],
  [
    'a table that is not prime',
    balancer({ consistentHash: { useSourceIp: true, maglev: { tableSize: 65_536 } } }),
    `error XEB0306 ${hash}.maglev.tableSize`,
  ],
  [
    'a table that is too large',
    balancer({ consistentHash: { useSourceIp: true, maglev: { tableSize: 5_000_011 } } }),
    `error XEB0306 ${hash}.maglev.tableSize`,
  ],
  [
    'no table',
    balancer({ consistentHash: { useSourceIp: true, maglev: {} } }),
    `error XEB0306 ${hash}.maglev.tableSize`,
  ],
  ['warm-up', balancer({ simple: 'ROUND_ROBIN', warmup: { duration: '300s', minimumPercent: 10, aggression: 1 } })],
  [
    'warm-up without end',
    balancer({ warmup: { minimumPercent: 5 } }),
    `error XEB0308 ${at}.loadBalancer.warmup.duration`,
  ],
  [
    'warm-up above all',
    balancer({ warmup: { duration: '1s', minimumPercent: 150 } }),
    `error XEB0110 ${at}.loadBalancer.warmup.minimumPercent`,
  ],
  [
    'warm-ups that are too short',
    balancer({ warmupDurationSecs: '0s', warmup: { duration: '1us' } }),
    `error XEB0109 ${at}.loadBalancer.warmupDurationSecs`,
    `error XEB0109 ${at}.loadBalancer.warmup.duration`,
  ],
  [
    'a shy warm-up',
    balancer({ warmup: { duration: '1s', aggression: 0.3 } }),
    `error XEB0308 ${at}.loadBalancer.warmup.aggression`,
  ],
];

function tls(members: object): object {
  return policy({ tls: members });
}

const certificates: readonly Case[] = [
  ['simple', tls({ mode: 'SIMPLE', caCertificates: '/ca.pem', sni: 'a', subjectAltNames: ['a'] })],
  ['Istio’s own', tls({ mode: 'ISTIO_MUTUAL' })],
  ['mutual by file', tls({ mode: 'MUTUAL', clientCertificate: '/c', privateKey: '/k' })],
  ['mutual by credential', tls({ mode: 'MUTUAL', credentialName: 'secret' })],
  [
    'mutual without certificates',
    tls({ mode: 'MUTUAL' }),
    `error XEB0309 ${at}.tls.clientCertificate`,
    `error XEB0309 ${at}.tls.privateKey`,
  ],
  [
    'credential and files',
    tls({ mode: 'MUTUAL', credentialName: 'a', privateKey: '/k', caCrl: '/r' }),
    `error XEB0309 ${at}.tls.privateKey`,
    `error XEB0309 ${at}.tls.caCrl`,
  ],
  ['verification skipped', tls({ mode: 'SIMPLE', insecureSkipVerify: true })],
  [
    'verification skipped and asked for',
    tls({ mode: 'SIMPLE', insecureSkipVerify: true, caCertificates: '/ca', credentialName: 'a' }),
    `error XEB0309 ${at}.tls.caCertificates`,
    `error XEB0309 ${at}.tls.credentialName`,
    `error XEB0309 ${at}.tls.caCertificates`,
  ],
  ['mutual, skipped, by credential', tls({ mode: 'MUTUAL', insecureSkipVerify: true, credentialName: 'a' })],
];

describe.each([
  ['host, subsets, exportTo', rules],
  ['policies', policies],
  ['load balancers', balancers],
  ['TLS', certificates],
])('DestinationRule: %s', (_, cases) => {
  it.each(cases)('%s', (_name, spec, ...issues) => {
    expect(judge('DestinationRule', spec)).toEqual(issues);
  });
});
