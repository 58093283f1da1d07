import { describe, expect, it } from 'vitest';
import { type Case, judge } from '../testing/judge.ts';

const http = { number: 80, name: 'http', protocol: 'HTTP' };
const tcp = { number: 9000, name: 'tcp', protocol: 'TCP' };

/** A ServiceEntry of one host and one HTTP port. */
function entry(members: object): object {
  return { hosts: ['a.com'], ports: [http], ...members };
}

function fixed(endpoints: readonly object[], members: object = {}): object {
  return entry({ resolution: 'STATIC', endpoints, ...members });
}

function resolved(endpoints: readonly object[], members: object = {}): object {
  return entry({ resolution: 'DNS', endpoints, ...members });
}

const entries: readonly Case[] = [
  ['the least', { hosts: ['a.com'] }],
  ['no hosts', { hosts: [] }, 'error XEB0121 spec.hosts'],
  ['hosts missing', {}, 'error XEB0002 spec.hosts'],
  ['*', entry({ hosts: ['*'] }), 'error XEB0102 spec.hosts[0]'],
  ['a wildcard', entry({ hosts: ['*.a.com'] })],
  ['a partial wildcard', entry({ hosts: ['*a.com'] }), 'warning XEB0119 spec.hosts[0]'],
  ['a bad host', entry({ hosts: ['a b'] }), 'error XEB0101 spec.hosts[0]'],
  ['addresses', entry({ addresses: ['10.0.0.1', '10.1.0.0/16', '2001:db8::/32'] })],
  ['a bad address', entry({ addresses: ['10.0.0.256'] }), 'error XEB0106 spec.addresses[0]'],
  ['a bad block', entry({ addresses: ['10.0.0.0/33'] }), 'error XEB0106 spec.addresses[0]'],
  [
    'a block that is resolved',
    entry({ addresses: ['10.0.0.0/8'], resolution: 'DNS' }),
    'error XEB0505 spec.addresses[0]',
  ],
  ['a block that is fixed', fixed([{ address: '1.1.1.1' }], { addresses: ['10.0.0.0/8'] })],
  ['an address that is resolved', entry({ addresses: ['10.0.0.1'], resolution: 'DNS' })],
  ['a name twice', entry({ ports: [http, { ...http, number: 81 }] }), 'error XEB0115 spec.ports[1].name'],
  ['a number twice', entry({ ports: [http, { ...http, name: 'b' }] }), 'error XEB0115 spec.ports[1].number'],
  ['no name', entry({ ports: [{ number: 80 }] }), 'error XEB0103 spec.ports[0].name'],
  ['a bad name', entry({ ports: [{ ...http, name: 'a.b' }] }), 'error XEB0103 spec.ports[0].name'],
  ['a port that is sniffed', entry({ ports: [{ number: 80, name: 'a' }] })],
  ['an unknown protocol', entry({ ports: [{ ...http, protocol: 'SMTP' }] }), 'error XEB0108 spec.ports[0].protocol'],
  ['port 0', entry({ ports: [{ ...http, number: 0 }] }), 'error XEB0105 spec.ports[0].number'],
  ['a target port', entry({ ports: [{ ...http, targetPort: 8080 }] })],
  ['a bad target port', entry({ ports: [{ ...http, targetPort: 99_999 }] }), 'error XEB0105 spec.ports[0].targetPort'],
  ['TCP without addresses', resolved([], { ports: [tcp] }), 'warning IST0134 spec.ports[0]'],
  ['export to nobody', entry({ exportTo: ['~'] })],
  ['export to nobody and one', entry({ exportTo: ['~', 'a'] }), 'error XEB0111 spec.exportTo'],
];

const endpoints: readonly Case[] = [
  ['endpoints that nobody asks for', entry({ endpoints: [{ address: '1.1.1.1' }] }), 'error XEB0501 spec.endpoints'],
  [
    'fixed',
    fixed([
      { address: '1.1.1.1', ports: { http: 8080 }, labels: { a: 'b' }, weight: 2, locality: 'r/z', network: 'n' },
      { address: '::1' },
    ]),
  ],
  ['fixed without endpoints', fixed([]), 'warning XEB0501 spec.endpoints'],
  ['fixed by name', fixed([{ address: 'b.com' }]), 'error XEB0502 spec.endpoints[0].address'],
  ['fixed without address', fixed([{}]), 'error XEB0502 spec.endpoints[0].address'],
  ['behind a network', fixed([{ network: 'n' }]), 'warning XEB0502 spec.endpoints[0].address'],
  ['a socket', fixed([{ address: 'unix:///a/b' }])],
  ['an abstract socket', fixed([{ address: 'unix://@a' }])],
  ['a relative socket', fixed([{ address: 'unix://a' }]), 'error XEB0107 spec.endpoints[0].address'],
  ['a folder', fixed([{ address: 'unix:///a/' }]), 'error XEB0107 spec.endpoints[0].address'],
  [
    'a socket with ports',
    fixed([{ address: 'unix:///a', ports: { http: 1 } }]),
    'error XEB0503 spec.endpoints[0].ports',
  ],
  [
    'a socket for two ports',
    fixed([{ address: 'unix:///a' }], { ports: [http, { ...http, name: 'b', number: 81 }] }),
    'error XEB0503 spec.endpoints[0].address',
  ],
  [
    'a foreign port',
    fixed([{ address: '1.1.1.1', ports: { other: 1 } }]),
    'error XEB0503 spec.endpoints[0].ports.other',
  ],
  [
    'a bad endpoint port',
    fixed([{ address: '1.1.1.1', ports: { http: 0 } }]),
    'error XEB0105 spec.endpoints[0].ports.http',
  ],
  [
    'a bad port name',
    fixed([{ address: '1.1.1.1', ports: { '@': 1 } }]),
    'error XEB0103 spec.endpoints[0].ports["@"]',
    'error XEB0503 spec.endpoints[0].ports["@"]',
  ],
  ['a bad label', fixed([{ address: '1.1.1.1', labels: { a: '/' } }]), 'error XEB0104 spec.endpoints[0].labels.a'],
  ['resolved', resolved([])],
  ['resolved elsewhere', resolved([{ address: 'b.com', ports: { http: 8080 } }, { address: '1.1.1.1' }])],
  ['a wildcard that is resolved', resolved([], { hosts: ['*.a.com'] }), 'error XEB0501 spec.hosts[0]'],
  ['a wildcard with endpoints', resolved([{ address: 'b.com' }], { hosts: ['*.a.com'] })],
  ['resolved to a socket', resolved([{ address: 'unix:///a' }]), 'error XEB0502 spec.endpoints[0].address'],
  ['resolved to a wildcard', resolved([{ address: '*.b.com' }]), 'error XEB0502 spec.endpoints[0].address'],
  ['one at a time', resolved([{ address: 'b.com' }], { resolution: 'DNS_ROUND_ROBIN' })],
  [
    'two at a time',
    resolved([{ address: 'b.com' }, { address: 'c.com' }], { resolution: 'DNS_ROUND_ROBIN' }),
    'error XEB0501 spec.endpoints',
  ],
  ['dynamic', entry({ hosts: ['*.a.com'], resolution: 'DYNAMIC_DNS' })],
  ['dynamic for one host', entry({ resolution: 'DYNAMIC_DNS' }), 'warning XEB0501 spec.hosts[0]'],
  [
    'dynamic with endpoints',
    entry({ hosts: ['*.a.com'], resolution: 'DYNAMIC_DNS', endpoints: [{ address: '1.1.1.1' }] }),
    'error XEB0501 spec.endpoints',
  ],
  ['an unknown resolution', entry({ resolution: 'GUESS' }), 'error XEB0003 spec.resolution'],
  ['many hosts on HTTP', resolved([], { hosts: ['a.com', 'b.com'] })],
  [
    'many hosts on TLS',
    resolved([], { hosts: ['a.com', 'b.com'], ports: [{ number: 443, name: 'tls', protocol: 'tls' }] }),
  ],
  [
    'many hosts on TCP',
    resolved([], { hosts: ['a.com', 'b.com'], addresses: ['10.0.0.1'], ports: [tcp] }),
    'error XEB0504 spec.ports[0]',
  ],
  [
    'many hosts on a sniffed port',
    resolved([], { hosts: ['a.com', 'b.com'], addresses: ['10.0.0.1'], ports: [{ number: 1, name: 'a' }] }),
    'error XEB0504 spec.ports[0]',
  ],
  ['many hosts, none resolved', entry({ hosts: ['a.com', 'b.com'], ports: [tcp] })],
];

const selectors: readonly Case[] = [
  ['a selector', entry({ resolution: 'STATIC', workloadSelector: { labels: { app: 'a' } } })],
  [
    'a selector and endpoints',
    fixed([{ address: '1.1.1.1' }], { workloadSelector: { labels: { a: 'b' } } }),
    'error XEB0506 spec.workloadSelector',
  ],
  [
    'a selector without labels',
    entry({ resolution: 'STATIC', workloadSelector: {} }),
    'warning XEB0117 spec.workloadSelector.labels',
  ],
  [
    'a selector with a wildcard',
    entry({ resolution: 'STATIC', workloadSelector: { labels: { a: '*' } } }),
    'error XEB0117 spec.workloadSelector.labels.a',
  ],
  [
    'a selector without resolution',
    entry({ workloadSelector: { labels: { a: 'b' } } }),
    'warning XEB0118 spec.workloadSelector',
  ],
];

describe.each([
  ['hosts, addresses, ports', entries],
  ['endpoints', endpoints],
  ['selectors', selectors],
])('ServiceEntry: %s', (_, cases) => {
  it.each(cases)('%s', (_name, spec, ...issues) => {
    expect(judge('ServiceEntry', spec)).toEqual(issues);
  });
});
