import { describe, expect, it } from 'vitest';
import { type Case, judge } from '../testing/judge.ts';

const entries: readonly Case[] = [
  ['an address', { address: '10.0.0.1', ports: { http: 80 }, serviceAccount: 'a', weight: 1 }],
  ['a name', { address: 'vm.example.com' }],
  ['a socket', { address: 'unix:///a' }],
  ['no address', {}, 'error XEB0502 spec.address'],
  ['only a network', { network: 'n' }, 'warning XEB0502 spec.address'],
  ['a bad address', { address: 'a_b' }, 'error XEB0502 spec.address'],
  ['a folder', { address: 'unix:///a/' }, 'error XEB0107 spec.address'],
  ['a socket with ports', { address: 'unix://@a', ports: { http: 80 } }, 'error XEB0503 spec.ports'],
  ['a bad port', { address: '1.1.1.1', ports: { http: 99_999 } }, 'error XEB0105 spec.ports.http'],
  ['a bad port name', { address: '1.1.1.1', ports: { '@': 80 } }, 'error XEB0103 spec.ports["@"]'],
  ['a bad label', { address: '1.1.1.1', labels: { 'a/b/c': 'd' } }, 'error XEB0104 spec.labels["a/b/c"]'],
  ['a negative weight', { address: '1.1.1.1', weight: -1 }, 'error XEB0007 spec.weight'],
];

function group(members: object): object {
  return { template: {}, ...members };
}

const groups: readonly Case[] = [
  ['a template', group({ metadata: { labels: { app: 'a' } } })],
  ['no template', {}, 'error XEB0002 spec.template'],
  ['bad labels', group({ metadata: { labels: { app: '-' } } }), 'error XEB0104 spec.metadata.labels.app'],
  ['bad labels of the template', { template: { labels: { '': 'a' } } }, 'error XEB0104 spec.template.labels[""]'],
  [
    'a probe',
    group({
      probe: {
        periodSeconds: 5,
        httpGet: { port: 8080, path: '/ok', scheme: 'HTTPS', httpHeaders: [{ name: 'x-a', value: 'b' }] },
      },
    }),
  ],
  ['a probe by command', group({ probe: { exec: { command: ['true'] } } })],
  ['a probe by gRPC', group({ probe: { grpc: { port: 9000 } } })],
  ['a probe of nothing', group({ probe: {} }), 'error XEB0508 spec.probe'],
  [
    'two probes',
    group({ probe: { tcpSocket: { port: 1 }, exec: { command: ['a'] } } }),
    'error XEB0005 spec.probe.exec',
  ],
  [
    'negative times',
    group({ probe: { initialDelaySeconds: -1, timeoutSeconds: -1, periodSeconds: -1, tcpSocket: { port: 1 } } }),
    'error XEB0116 spec.probe.initialDelaySeconds',
    'error XEB0116 spec.probe.timeoutSeconds',
    'error XEB0116 spec.probe.periodSeconds',
  ],
  [
    'negative thresholds',
    group({ probe: { successThreshold: -1, failureThreshold: -1, tcpSocket: { port: 1 } } }),
    'error XEB0116 spec.probe.successThreshold',
    'error XEB0116 spec.probe.failureThreshold',
  ],
  ['a probe by gRPC of no port', group({ probe: { grpc: {} } }), 'error XEB0105 spec.probe.grpc.port'],
  ['a probe by HTTP of no port', group({ probe: { httpGet: {} } }), 'error XEB0105 spec.probe.httpGet.port'],
  ['a probe of no port', group({ probe: { tcpSocket: { port: 65_536 } } }), 'error XEB0105 spec.probe.tcpSocket.port'],
  [
    'a probe with a bad scheme',
    group({ probe: { httpGet: { port: 1, scheme: 'http' } } }),
    'error XEB0508 spec.probe.httpGet.scheme',
  ],
  [
    'a probe with a bad header',
    group({ probe: { httpGet: { port: 1, httpHeaders: [{ name: '**' }] } } }),
    'error XEB0113 spec.probe.httpGet.httpHeaders[0].name',
  ],
  ['a probe without command', group({ probe: { exec: {} } }), 'error XEB0508 spec.probe.exec.command'],
];

const proxies: readonly Case[] = [
  [
    'everything',
    {
      selector: { matchLabels: { a: 'b' } },
      concurrency: 0,
      environmentVariables: { A: 'b' },
      image: { imageType: 'distroless' },
    },
  ],
  ['nothing', {}],
  ['negative threads', { concurrency: -1 }, 'error XEB0116 spec.concurrency'],
  [
    'a selector with an empty key',
    { selector: { matchLabels: { '': 'a' } } },
    'error XEB0117 spec.selector.matchLabels[""]',
  ],
  ['a selector without labels', { selector: {} }, 'warning XEB0117 spec.selector.matchLabels'],
];

describe('WorkloadEntry', () => {
  it.each(entries)('%s', (_name, spec, ...issues) => {
    expect(judge('WorkloadEntry', spec)).toEqual(issues);
  });
});

describe('WorkloadGroup', () => {
  it.each(groups)('%s', (_name, spec, ...issues) => {
    expect(judge('WorkloadGroup', spec)).toEqual(issues);
  });
});

describe('ProxyConfig', () => {
  it.each(proxies)('%s', (_name, spec, ...issues) => {
    expect(judge('ProxyConfig', spec)).toEqual(issues);
  });
});
