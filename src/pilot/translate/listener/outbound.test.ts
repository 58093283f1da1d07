import { describe, expect, it } from 'vitest';
import type { Protocol, Service } from '../../../model/service.ts';
import { port, rule, service, virtualService } from '../policy/testing/fixtures.ts';
import { egress, outbound } from './testing/sidecar.ts';
import { filterConfig, inspectors } from './testing/summary.ts';

const local = (name: string) => `${name}.default.svc.cluster.local`;
const passthrough = 'tcp PassthroughCluster';

function entry(host: string, number: number, protocol: Protocol, options: Partial<Service> = {}): Service {
  return service(host, { ports: [port(number, protocol)], ...options });
}

describe('the listeners of one service', () => {
  it.each<[string, Service, Record<string, readonly string[]>]>([
    [
      'HTTP shares the port with whatever speaks HTTP there; TLS is for others',
      entry('a', 80, 'HTTP', { addresses: ['10.0.0.1'] }),
      { '0.0.0.0_80': ['raw → http rds 80', `else → ${passthrough}`] },
    ],
    [
      'gRPC likewise',
      entry('a', 80, 'GRPC', { addresses: ['10.0.0.1'] }),
      { '0.0.0.0_80': ['raw → http rds 80', `else → ${passthrough}`] },
    ],
    [
      'TCP has its address',
      entry('a', 9000, 'TCP', { addresses: ['10.0.0.1'] }),
      { '10.0.0.1_9000': [`→ tcp outbound|9000||${local('a')}`] },
    ],
    [
      'TLS on an address of its own needs no server name',
      entry('a', 443, 'TLS', { addresses: ['10.0.0.1'] }),
      { '10.0.0.1_443': [`→ tcp outbound|443||${local('a')}`] },
    ],
    [
      'Mongo is read on its way',
      entry('a', 27_017, 'Mongo', { addresses: ['10.0.0.1'] }),
      { '10.0.0.1_27017': [`→ mongo_proxy tcp outbound|27017||${local('a')}`] },
    ],
    [
      'an unknown protocol is sniffed on the address',
      entry('a', 3000, 'auto', { addresses: ['10.0.0.1'] }),
      {
        '10.0.0.1_3000': [`raw http/1.1,h2c → http rds ${local('a')}:3000`, `else → tcp outbound|3000||${local('a')}`],
      },
    ],
    [
      'but not where servers speak first',
      entry('a', 3306, 'auto', { addresses: ['10.0.0.1'] }),
      { '10.0.0.1_3306': [`→ tcp outbound|3306||${local('a')}`] },
    ],
    [
      'an unknown protocol without an address shares the port',
      entry('a.example.com', 3000, 'auto'),
      { '0.0.0.0_3000': ['raw http/1.1,h2c → http rds 3000', 'else → tcp outbound|3000||a.example.com'] },
    ],
    [
      'a block of addresses is matched, not listened on',
      entry('a.example.com', 9000, 'TCP', { addresses: ['10.1.2.3/16', '10.9.9.9'] }),
      {
        '10.9.9.9_9000': ['→ tcp outbound|9000||a.example.com'],
        '0.0.0.0_9000': ['10.1.0.0/16 → tcp outbound|9000||a.example.com', `else → ${passthrough}`],
      },
    ],
    [
      'an unknown protocol in a block: Envoy does not step back from HTTP to TCP, so both transports are named',
      entry('a.example.com', 9000, 'auto', { addresses: ['10.1.0.0/16'] }),
      {
        '0.0.0.0_9000': [
          '10.1.0.0/16 raw http/1.1,h2c → http rds 9000',
          '10.1.0.0/16 raw → tcp outbound|9000||a.example.com',
          '10.1.0.0/16 tls → tcp outbound|9000||a.example.com',
          `else → ${passthrough}`,
        ],
      },
    ],
    [
      'TLS without an address is told by its server name',
      entry('*.example.com', 443, 'HTTPS'),
      { '0.0.0.0_443': ['sni *.example.com → tcp outbound|443||*.example.com', `else → ${passthrough}`] },
    ],
    [
      'TCP without any address takes the port',
      entry('a.example.com', 9000, 'TCP'),
      { '0.0.0.0_9000': ['→ tcp outbound|9000||a.example.com'] },
    ],
    ['UDP has none', entry('a', 53, 'UDP', { addresses: ['10.0.0.1'] }), {}],
  ])('%s', (_, only, expected) => {
    expect(outbound({ egress: [egress({ services: [only] })] }).chains).toEqual(expected);
  });

  it('uses an automatic address only where DNS answers with it', () => {
    const services = [entry('a.example.com', 9000, 'TCP', { autoAddresses: ['240.240.0.1'] })];
    const chains = ['→ tcp outbound|9000||a.example.com'];
    expect(outbound({ egress: [egress({ services })] }).chains).toEqual({ '0.0.0.0_9000': chains });
    expect(outbound({ egress: [egress({ services })], traits: { dnsCapture: true } }).chains).toEqual({
      '240.240.0.1_9000': chains,
    });
  });

  it('is one for each pod of a headless TCP service, and HTTP stays on the port', () => {
    const headless = service('kafka', {
      ports: [port(9092, 'TCP'), port(8080, 'HTTP'), port(9999, 'auto')],
      headless: true,
      resolution: { kind: 'passthrough' },
    });
    const pods = [9092, 8080, 9999].map((number) => ({
      service: headless.key,
      port: number,
      addresses: ['10.2.0.1', '10.2.0.2'],
    }));
    const { chains, routes } = outbound({ egress: [egress({ services: [headless] })], headless: pods });
    expect(Object.keys(chains)).toEqual([
      '10.2.0.1_9092',
      '10.2.0.2_9092',
      '0.0.0.0_8080',
      '10.2.0.1_9999',
      '10.2.0.2_9999',
    ]);
    expect(Object.keys(routes)).toEqual(['8080', `${local('kafka')}:9999`]);
  });
});

describe('services that meet on a port', () => {
  const http = entry('web', 9000, 'HTTP', { addresses: ['10.0.0.1'] });

  it.each<[string, readonly Service[], readonly string[], string[]]>([
    [
      'HTTP and TLS are told apart by server name',
      [http, entry('a.example.com', 9000, 'TLS'), entry('b.example.com', 9000, 'TLS')],
      [
        'raw → http rds 9000',
        'sni a.example.com → tcp outbound|9000||a.example.com',
        'sni b.example.com → tcp outbound|9000||b.example.com',
        `else → ${passthrough}`,
      ],
      [],
    ],
    [
      'HTTP and TCP without an address are told apart by protocol',
      [http, entry('a.example.com', 9000, 'TCP')],
      ['raw http/1.1,h2c → http rds 9000', 'else → tcp outbound|9000||a.example.com'],
      [],
    ],
    [
      'HTTP, TCP in a block and TLS by name all work',
      [http, entry('a.example.com', 9000, 'TCP', { addresses: ['10.1.0.0/16'] }), entry('b.example.com', 9000, 'TLS')],
      [
        'raw → http rds 9000',
        '10.1.0.0/16 → tcp outbound|9000||a.example.com',
        'sni b.example.com → tcp outbound|9000||b.example.com',
        `else → ${passthrough}`,
      ],
      [],
    ],
    [
      'of two TCP services without an address the older keeps the port, and the other is told',
      [entry('a.example.com', 9000, 'TCP'), entry('b.example.com', 9000, 'TCP')],
      ['→ tcp outbound|9000||a.example.com'],
      ['ServiceEntry/default/b.example.com spec.ports.0'],
    ],
    [
      'of two blocks that are one, the older',
      [
        entry('a.example.com', 9000, 'TCP', { addresses: ['10.1.0.0/16'] }),
        entry('b.example.com', 9000, 'TCP', { addresses: ['10.1.9.9/16', '10.2.0.0/16'] }),
      ],
      [
        '10.1.0.0/16 → tcp outbound|9000||a.example.com',
        '10.2.0.0/16 → tcp outbound|9000||b.example.com',
        `else → ${passthrough}`,
      ],
      ['ServiceEntry/default/b.example.com spec.ports.0'],
    ],
    [
      'Mongo and another protocol cannot share',
      [entry('a.example.com', 9000, 'Mongo'), entry('b.example.com', 9000, 'MySQL')],
      ['→ mongo_proxy tcp outbound|9000||a.example.com'],
      ['ServiceEntry/default/b.example.com spec.ports.0'],
    ],
  ])('%s', (_, services, expected, told) => {
    const { chains, diagnostics } = outbound({ egress: [egress({ services })] });
    expect(chains['0.0.0.0_9000']).toEqual(expected);
    expect(
      diagnostics.map(({ object, path }) => `${object?.kind}/${object?.namespace}/${object?.name} ${path.join('.')}`),
    ).toEqual(told);
  });

  it('share an address if they are TLS', () => {
    const addresses = ['10.0.0.1'];
    const services = [
      entry('a.example.com', 443, 'TLS', { addresses }),
      entry('b.example.com', 443, 'TLS', { addresses }),
    ];
    expect(outbound({ egress: [egress({ services })] }).chains['10.0.0.1_443']).toEqual([
      'sni a.example.com → tcp outbound|443||a.example.com',
      'sni b.example.com → tcp outbound|443||b.example.com',
      `else → ${passthrough}`,
    ]);
  });

  it('name the winner to the loser', () => {
    const services = [entry('a.example.com', 9000, 'TCP'), entry('b.example.com', 9000, 'TCP')];
    const [told] = outbound({ egress: [egress({ services })] }).diagnostics;
    expect(told).toMatchObject({ code: 'XEB2302', level: 'warning' });
    expect(told?.message).toContain('ServiceEntry default/a.example.com');
  });
});

describe('rules of VirtualServices', () => {
  const db = entry('db.example.com', 443, 'TLS', { addresses: ['10.0.0.1'] });
  const to = (host: string, weight?: number) => ({
    destination: { host, port: { number: 443 } },
    ...(weight === undefined ? {} : { weight }),
  });

  it('send TLS by server name, and what they leave passes by', () => {
    const tls = [{ match: [{ sniHosts: ['db.example.com', 'x.example.com'] }], route: [to('db.example.com')] }];
    const virtualServices = [virtualService('v', { hosts: ['*.example.com'], tls })];
    const { chains } = outbound({ egress: [egress({ services: [db], virtualServices })] });
    expect(chains['10.0.0.1_443']).toEqual([
      'sni db.example.com,x.example.com → tcp outbound|443||db.example.com',
      `else → ${passthrough}`,
    ]);
  });

  it('for single names leave the rest of a wildcard service to it', () => {
    const wild = entry('*.example.com', 443, 'TLS');
    const tls = [{ match: [{ sniHosts: ['db.example.com'] }], route: [to('db.example.com')] }];
    const virtualServices = [virtualService('v', { hosts: ['db.example.com'], tls })];
    const { chains, diagnostics } = outbound({
      egress: [egress({ services: [wild, entry('db.example.com', 443, 'TLS')], virtualServices })],
    });
    expect(chains['0.0.0.0_443']).toEqual([
      'sni db.example.com → tcp outbound|443||db.example.com',
      'sni *.example.com → tcp outbound|443||*.example.com',
      `else → ${passthrough}`,
    ]);
    expect(diagnostics, 'one rule is met with each of its services, and does not lose to itself').toEqual([]);
  });

  it.each<[string, Protocol, readonly string[], readonly string[]]>([
    ['of TLS are not asked where plain TCP is expected', 'TCP', ['→ tcp outbound|443||tcp.example.com'], ['tls']],
    [
      'of both kinds are asked where nobody knows',
      'auto',
      [
        'raw http/1.1,h2c → http rds x.example.com:443',
        'sni x.example.com → tcp outbound|443||tls.example.com',
        'else → tcp outbound|443||tcp.example.com',
      ],
      [],
    ],
    [
      'of TCP are not asked where TLS is expected',
      'TLS',
      ['sni x.example.com → tcp outbound|443||tls.example.com', `else → ${passthrough}`],
      ['tcp'],
    ],
  ])('%s', (_, protocol, expected, told) => {
    const virtualServices = [
      virtualService('v', {
        hosts: ['x.example.com'],
        tls: [{ match: [{ port: 443, sniHosts: ['x.example.com'] }], route: [to('tls.example.com')] }],
        tcp: [{ match: [{ port: 443 }], route: [to('tcp.example.com')] }],
      }),
    ];
    const services = ['tls.example.com', 'tcp.example.com'].map((host) =>
      entry(host, 443, 'TCP', { addresses: ['10.9.9.9'] }),
    );
    const asked = entry('x.example.com', 443, protocol, { addresses: ['10.0.0.1'] });
    const { chains, diagnostics } = outbound({ egress: [egress({ services: [asked, ...services], virtualServices })] });
    expect(chains['10.0.0.1_443']).toEqual(expected);
    const wrong = diagnostics.filter(({ code }) => code === 'XEB2307');
    expect(wrong.map(({ path }) => path)).toEqual(told.map((kind) => ['spec', kind, 0]));
  });

  it('send TLS for any host under a wildcard where its name resolves to', () => {
    const wild = entry('*.example.com', 8443, 'TLS', { resolution: { kind: 'dynamic-dns' } });
    const tls = [
      {
        match: [{ sniHosts: ['a.example.com'] }],
        route: [{ destination: { host: '*.example.com', port: { number: 8443 } } }],
      },
    ];
    const virtualServices = [virtualService('v', { hosts: ['a.example.com'], tls })];
    const { chains, resources } = outbound({ egress: [egress({ services: [wild], virtualServices })] });
    expect(chains['0.0.0.0_8443']).toEqual([
      'sni a.example.com → sni_dynamic_forward_proxy tcp outbound|8443||*.example.com',
      'sni *.example.com → sni_dynamic_forward_proxy tcp outbound|8443||*.example.com',
      `else → ${passthrough}`,
    ]);
    const type = 'envoy.extensions.filters.network.sni_dynamic_forward_proxy.v3.FilterConfig';
    expect(filterConfig(resources['0.0.0.0_8443']?.message ?? {}, type)).toMatchObject({ portValue: 8443 });
  });

  it('are named in the metadata of their chains', () => {
    const virtualServices = [
      virtualService('shop/v', { hosts: ['db.example.com'], tcp: [{ route: [to('a.example.com')] }] }),
    ];
    const services = [entry('db.example.com', 443, 'TCP', { addresses: ['10.0.0.1'] })];
    const [chain] =
      outbound({ egress: [egress({ services, virtualServices })] }).resources['10.0.0.1_443']?.message.filterChains ??
      [];
    expect(JSON.stringify(chain?.metadata)).toContain('/namespaces/shop/virtual-service/v');
  });

  it('split TCP by weight', () => {
    const tcp = [{ route: [to('a.example.com', 80), to('b.example.com', 20)] }];
    const virtualServices = [virtualService('v', { hosts: ['tcp.example.com'], tcp })];
    const services = [entry('tcp.example.com', 9000, 'TCP', { addresses: ['10.0.0.2'] })];
    expect(outbound({ egress: [egress({ services, virtualServices })] }).chains['10.0.0.2_9000']).toEqual([
      '→ tcp 80 outbound|443||a.example.com + 20 outbound|443||b.example.com',
    ]);
  });

  it('with blocks leave the rest to the service', () => {
    const tcp = [{ match: [{ destinationSubnets: ['10.0.0.2/32'] }], route: [to('a.example.com')] }];
    const virtualServices = [virtualService('v', { hosts: ['tcp.example.com'], tcp })];
    const services = [entry('tcp.example.com', 9000, 'TCP', { addresses: ['10.0.0.2'] })];
    expect(outbound({ egress: [egress({ services, virtualServices })] }).chains['10.0.0.2_9000']).toEqual([
      '10.0.0.2/32 → tcp outbound|443||a.example.com',
      'else → tcp outbound|9000||tcp.example.com',
    ]);
  });

  it('that Envoy cannot match are left out, and their owner is told', () => {
    const tls = [{ match: [{ sniHosts: ['*db.example.com'] }], route: [to('db.example.com')] }];
    const virtualServices = [virtualService('v', { hosts: ['*.example.com'], tls })];
    const { chains, diagnostics } = outbound({ egress: [egress({ services: [db], virtualServices })] });
    expect(chains['10.0.0.1_443']).toEqual(['→ tcp outbound|443||db.example.com']);
    expect(diagnostics).toContainEqual(expect.objectContaining({ code: 'XEB2303', path: ['spec', 'tls', 0] }));
  });
});

describe('what a listener waits for', () => {
  it.each<[string, readonly Service[], readonly string[]]>([
    ['nothing for TCP', [entry('a.example.com', 9000, 'TCP')], []],
    ['the server name for TLS by name', [entry('a.example.com', 9000, 'TLS')], ['tls_inspector']],
    [
      'the server name for the log, where TLS has an address',
      [entry('a.example.com', 9000, 'TLS', { addresses: ['0.0.0.0'] })],
      ['tls_inspector'],
    ],
    ['TLS or not for HTTP', [entry('a', 9000, 'HTTP')], ['tls_inspector']],
    ['HTTP or not where nobody knows', [entry('a.example.com', 9000, 'auto')], ['http_inspector']],
    [
      'both where all meet',
      [entry('a', 9000, 'HTTP'), entry('a.example.com', 9000, 'TCP'), entry('b.example.com', 9000, 'TLS')],
      ['tls_inspector', 'http_inspector'],
    ],
  ])('%s', (_, services, expected) => {
    const listener = outbound({ egress: [egress({ services })] }).resources['0.0.0.0_9000']?.message;
    expect(inspectors(listener ?? {})).toEqual(expected);
    expect(listener?.listenerFiltersTimeout).toEqual(expected.length === 0 ? undefined : { seconds: 5, nanos: 0 });
    expect(listener?.continueOnListenerFiltersTimeout).toBe(expected.length === 0 ? undefined : true);
  });
});

it('keeps TCP connections as the DestinationRule says', () => {
  const only = entry('a.example.com', 9000, 'TCP');
  const trafficPolicy = {
    connectionPool: { tcp: { idleTimeout: '10s', maxConnectionDuration: '1h' } },
    loadBalancer: { consistentHash: { useSourceIp: true } },
    tunnel: { protocol: 'CONNECT', targetHost: 'db.example.com', targetPort: 443 },
  };
  const applied = rule({ host: 'a.example.com', trafficPolicy });
  const scope = egress({});
  const members = [{ service: only, port: port(9000, 'TCP'), rule: applied }];
  const { resources } = outbound({ egress: [{ ...scope, members }] });
  const proxy = filterConfig(
    resources['0.0.0.0_9000']?.message ?? {},
    'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
  );
  expect(proxy).toMatchObject({
    statPrefix: 'outbound|9000||a.example.com',
    idleTimeout: { seconds: 10 },
    maxDownstreamConnectionDuration: { seconds: 3600 },
    hashPolicy: [{ sourceIp: {} }],
    tunnelingConfig: { hostname: 'db.example.com:443' },
  });
});

it('names what it needs and where it comes from', () => {
  const services = [entry('web', 80, 'HTTP'), entry('a.example.com', 80, 'TLS')];
  const resource = outbound({ egress: [egress({ services })] }).resources['0.0.0.0_80'];
  expect(resource?.needs.map(({ name }) => name)).toEqual(['80', 'outbound|80||a.example.com', 'PassthroughCluster']);
  expect(resource?.origins).toEqual([
    { kind: 'Service', namespace: 'default', name: 'web', path: 'spec.ports[0]' },
    { kind: 'ServiceEntry', namespace: 'default', name: 'a.example.com', path: 'spec.ports[0]' },
  ]);
  expect(resource?.message).toMatchObject({ bindToPort: { value: false }, trafficDirection: 2 });
});
