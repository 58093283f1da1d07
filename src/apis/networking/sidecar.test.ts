import { describe, expect, it } from 'vitest';
import { type Case, judge } from '../testing/judge.ts';

const hosts = ['./*'];
const http = { number: 9080, name: 'http', protocol: 'HTTP' };

function ingress(...listeners: readonly object[]): object {
  return {
    egress: [{ hosts }],
    ingress: listeners.map((members) => ({ port: http, defaultEndpoint: '127.0.0.1:8080', ...members })),
  };
}

function egress(...listeners: readonly object[]): object {
  return { egress: listeners.map((members) => ({ hosts, ...members })) };
}

const whole: readonly Case[] = [
  ['egress', egress({})],
  ['nothing', {}, 'error XEB0601 spec'],
  ['only a policy', { outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' } }],
  ['an empty policy', { outboundTrafficPolicy: {} }],
  ['only a pool', { inboundConnectionPool: { tcp: { maxConnections: 1 } } }],
  ['a bad pool', { inboundConnectionPool: {} }, 'error XEB0301 spec.inboundConnectionPool'],
  ['a selector', { ...egress({}), workloadSelector: { labels: { app: 'a' } } }],
  [
    'a selector without labels',
    { ...egress({}), workloadSelector: {} },
    'warning XEB0117 spec.workloadSelector.labels',
  ],
  [
    'a selector with a wildcard, which 1.4 took',
    { ...egress({}), workloadSelector: { labels: { app: '*' } } },
    'warning XEB0117 spec.workloadSelector.labels.app',
  ],
  [
    'a proxy for the rest',
    { outboundTrafficPolicy: { mode: 'ALLOW_ANY', egressProxy: { host: 'a.com', port: { number: 443 } } } },
  ],
  [
    'a proxy without mode',
    { outboundTrafficPolicy: { egressProxy: { host: 'a.com', port: { number: 443 } } } },
    'error XEB0607 spec.outboundTrafficPolicy.egressProxy',
  ],
  [
    'a proxy without port',
    { outboundTrafficPolicy: { mode: 'ALLOW_ANY', egressProxy: { host: 'a.com' } } },
    'error XEB0607 spec.outboundTrafficPolicy.egressProxy.port',
  ],
  [
    'a proxy on no port',
    { outboundTrafficPolicy: { mode: 'ALLOW_ANY', egressProxy: { host: 'a.com', port: { number: 70_000 } } } },
    'error XEB0105 spec.outboundTrafficPolicy.egressProxy.port.number',
  ],
  [
    'a proxy of many',
    { outboundTrafficPolicy: { mode: 'ALLOW_ANY', egressProxy: { host: '*.a.com', port: { number: 1 } } } },
    'error XEB0101 spec.outboundTrafficPolicy.egressProxy.host',
  ],
];

const ingresses: readonly Case[] = [
  ['a listener', ingress({ bind: '10.0.0.1', captureMode: 'NONE' })],
  ['no port', { egress: [{ hosts }], ingress: [{}] }, 'error XEB0002 spec.ingress[0].port'],
  ['a port twice', ingress({}, {}), 'error XEB0115 spec.ingress[1].port.number'],
  ['a bad name', ingress({ port: { ...http, name: 'a_b' } }), 'error XEB0103 spec.ingress[0].port.name'],
  ['a bad protocol', ingress({ port: { ...http, protocol: 'X' } }), 'error XEB0108 spec.ingress[0].port.protocol'],
  ['a bad number', ingress({ port: { ...http, number: 0 } }), 'error XEB0105 spec.ingress[0].port.number'],
  ['a target port', ingress({ port: { ...http, targetPort: 1 } }), 'warning XEB0118 spec.ingress[0].port.targetPort'],
  ['a bad address', ingress({ bind: 'a' }), 'error XEB0106 spec.ingress[0].bind'],
  ['an IPv6 address', ingress({ bind: '::1' })],
  ['no endpoint', ingress({ defaultEndpoint: '' })],
  ['a bare port', ingress({ defaultEndpoint: ':8080' })],
  ['an IPv6 endpoint', ingress({ defaultEndpoint: '[::1]:8080' })],
  ['a socket', ingress({ defaultEndpoint: 'unix:///a' })],
  ['a bad socket', ingress({ defaultEndpoint: 'unix://a' }), 'error XEB0107 spec.ingress[0].defaultEndpoint'],
  [
    'an endpoint elsewhere',
    ingress({ defaultEndpoint: '10.0.0.1:80' }),
    'error XEB0604 spec.ingress[0].defaultEndpoint',
  ],
  [
    'an endpoint without port',
    ingress({ defaultEndpoint: '127.0.0.1' }),
    'error XEB0604 spec.ingress[0].defaultEndpoint',
  ],
  [
    'an endpoint with a bad port',
    ingress({ defaultEndpoint: '127.0.0.1:0' }),
    'error XEB0604 spec.ingress[0].defaultEndpoint',
  ],
  [
    'TLS',
    ingress({ port: { ...http, protocol: 'TLS' }, tls: { mode: 'SIMPLE', serverCertificate: '/c', privateKey: '/k' } }),
  ],
  [
    'TLS on HTTP',
    ingress({ tls: { mode: 'SIMPLE', serverCertificate: '/c', privateKey: '/k' } }),
    'warning XEB0606 spec.ingress[0].tls',
  ],
  [
    'TLS without certificates',
    ingress({ port: { ...http, protocol: 'TLS' }, tls: { mode: 'SIMPLE' } }),
    'error XEB0405 spec.ingress[0].tls.serverCertificate',
    'error XEB0405 spec.ingress[0].tls.privateKey',
  ],
  ['an empty pool', ingress({ connectionPool: {} }), 'error XEB0301 spec.ingress[0].connectionPool'],
  [
    'TLS by credential',
    ingress({ port: { ...http, protocol: 'TLS' }, tls: { mode: 'SIMPLE', credentialName: 'a' } }),
    'error XEB0606 spec.ingress[0].tls.credentialName',
  ],
  [
    'Istio’s own TLS',
    ingress({ port: { ...http, protocol: 'TLS' }, tls: { mode: 'ISTIO_MUTUAL' } }),
    'error XEB0606 spec.ingress[0].tls.mode',
  ],
  [
    'TLS for others',
    ingress({ port: { ...http, protocol: 'TLS' }, tls: { mode: 'AUTO_PASSTHROUGH' } }),
    'error XEB0606 spec.ingress[0].tls.mode',
  ],
  [
    'a redirect',
    ingress({ port: { ...http, protocol: 'TLS' }, tls: { httpsRedirect: true } }),
    'error XEB0606 spec.ingress[0].tls.httpsRedirect',
  ],
  [
    'an HTTP pool on TCP',
    ingress({ port: { ...http, protocol: 'TCP' }, connectionPool: { http: {} } }),
    'warning XEB0118 spec.ingress[0].connectionPool.http',
  ],
];

const egresses: readonly Case[] = [
  ['ports and the rest', egress({ port: http }, { port: { ...http, number: 1 } }, {})],
  ['the rest first', egress({}, { port: http }), 'error XEB0602 spec.egress[0]'],
  ['the rest twice', egress({}, {}), 'error XEB0602 spec.egress[0]'],
  ['a port twice', egress({ port: http }, { port: http }), 'error XEB0115 spec.egress[1].port.number'],
  ['a socket', egress({ port: { number: 0, protocol: 'HTTP' }, bind: 'unix:///a' })],
  [
    'a socket twice',
    egress({ port: {}, bind: 'unix:///a' }, { port: {}, bind: 'unix:///a' }),
    'error XEB0115 spec.egress[1].bind',
  ],
  ['port 0 without socket', egress({ port: {}, bind: '10.0.0.1' }), 'error XEB0605 spec.egress[0].bind'],
  ['port 0 on nothing', egress({ port: {} }), 'error XEB0605 spec.egress[0].bind'],
  ['a relative socket', egress({ port: {}, bind: 'unix://a' }), 'error XEB0107 spec.egress[0].bind'],
  ['a bad number', egress({ port: { ...http, number: 70_000 } }), 'error XEB0105 spec.egress[0].port.number'],
  ['a target port', egress({ port: { ...http, targetPort: 1 } }), 'warning XEB0118 spec.egress[0].port.targetPort'],
  [
    'a socket that is captured',
    egress({ port: {}, bind: 'unix:///a', captureMode: 'IPTABLES' }),
    'error XEB0605 spec.egress[0].captureMode',
  ],
  ['a port on a socket', egress({ port: http, bind: 'unix:///a' }), 'error XEB0106 spec.egress[0].bind'],
  ['a bad name', egress({ port: { ...http, name: '-' } }), 'error XEB0103 spec.egress[0].port.name'],
  ['a bad protocol', egress({ port: { ...http, protocol: 'X' } }), 'error XEB0108 spec.egress[0].port.protocol'],
  ['no hosts', egress({ hosts: [] }), 'error XEB0121 spec.egress[0].hosts'],
  ['hosts missing', { egress: [{}] }, 'error XEB0002 spec.egress[0].hosts'],
  ['hosts', egress({ hosts: ['ns/a.com', '*/b.com', '~/*', './*.c.com', 'istio-system/*'] })],
  ['a host without namespace', egress({ hosts: ['a.com'] }), 'error XEB0603 spec.egress[0].hosts[0]'],
  ['an empty part', egress({ hosts: ['ns/'] }), 'error XEB0101 spec.egress[0].hosts[0]'],
  ['a bad namespace', egress({ hosts: ['a.b/c.com'] }), 'error XEB0603 spec.egress[0].hosts[0]'],
  ['a short name', egress({ hosts: ['ns/a'] }), 'error XEB0603 spec.egress[0].hosts[0]'],
  ['a partial wildcard', egress({ hosts: ['ns/*a.com'] }), 'warning XEB0119 spec.egress[0].hosts[0]'],
  ['a host twice', egress({ hosts: ['shop/*', './a.com'] }), 'warning XEB0603 spec.egress[0].hosts[1]'],
  ['a host behind all', egress({ hosts: ['*/*', 'a/b.com'] }), 'warning XEB0603 spec.egress[0].hosts[1]'],
];

describe.each([
  ['as a whole', whole],
  ['ingress', ingresses],
  ['egress', egresses],
])('Sidecar: %s', (_, cases) => {
  it.each(cases)('%s', (_name, spec, ...issues) => {
    expect(judge('Sidecar', spec)).toEqual(issues);
  });
});
