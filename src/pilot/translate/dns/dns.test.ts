import { describe, expect, it } from 'vitest';
import { encodeMessage } from '../../../gen/codec.ts';
import type { Service } from '../../../model/service.ts';
import { traits } from '../listener/testing/sidecar.ts';
import { unpack } from '../listener/testing/summary.ts';
import { port, service } from '../policy/testing/fixtures.ts';
import { buildDnsListener } from './listener.ts';
import { buildNameTable, type HeadlessNames } from './name-table.ts';

const dnsDomain = 'default.svc.cluster.local';

function table(services: readonly Service[], headless: readonly HeadlessNames[] = []): Record<string, string> {
  const entries = buildNameTable({ services, headless, dnsDomain });
  return Object.fromEntries(entries.map(({ name, addresses }) => [name, addresses.join(' ')]));
}

describe('names', () => {
  it('of a service of the own namespace are all its forms', () => {
    expect(table([service('reviews', { addresses: ['10.0.0.1'] })])).toEqual({
      reviews: '10.0.0.1',
      'reviews.default': '10.0.0.1',
      'reviews.default.svc': '10.0.0.1',
      'reviews.default.svc.cluster.local': '10.0.0.1',
    });
  });

  it('of an alias are its own where it is visible, and lead where its service does', () => {
    const alias = (hostname: string, ...namespaces: readonly string[]): Service['aliases'][number] => ({
      hostname,
      visibility: { kind: 'namespaces', namespaces: new Set(namespaces) },
      origin: { kind: 'Service', namespace: 'default', name: 'alias' },
    });
    const aliases = [alias('a.default.svc.cluster.local', 'default'), alias('b.default.svc.cluster.local', 'shop')];
    expect(table([service('shop/cart', { addresses: ['10.0.0.1'], aliases })])).toMatchObject({
      a: '10.0.0.1',
      'a.default.svc.cluster.local': '10.0.0.1',
      'cart.shop': '10.0.0.1',
    });
    expect(table([service('shop/cart', { addresses: ['10.0.0.1'], aliases })])).not.toHaveProperty('b');
  });

  it('of another namespace say which', () => {
    expect(Object.keys(table([service('shop/cart', { addresses: ['10.0.0.1'] })]))).toEqual([
      'cart.shop',
      'cart.shop.svc',
      'cart.shop.svc.cluster.local',
    ]);
  });

  it('outside the cluster are complete, wildcards included', () => {
    const services = [
      service('api.example.com', { addresses: ['10.0.0.1'] }),
      service('*.example.com', { addresses: ['10.0.0.2'] }),
    ];
    expect(table(services)).toEqual({ '*.example.com': '10.0.0.2', 'api.example.com': '10.0.0.1' });
  });

  it.each<[string, Partial<Service>, string | undefined]>([
    ['automatic address where there is no other', { autoAddresses: ['240.240.0.1'] }, '240.240.0.1'],
    ['own address rather than the automatic', { addresses: ['10.0.0.1'], autoAddresses: ['240.240.0.1'] }, '10.0.0.1'],
    ['addresses, sorted', { addresses: ['10.0.0.2', '10.0.0.1', '2001:db8::1'] }, '10.0.0.1 10.0.0.2 2001:db8::1'],
    ['nothing for a block', { addresses: ['10.0.0.0/8'] }, undefined],
    ['nothing without an address: others know the name', {}, undefined],
  ])('lead to the %s', (_, options, expected) => {
    expect(table([service('api.example.com', options)])['api.example.com']).toBe(expected);
  });

  it('of a headless service lead to its pods, and pods have their own', () => {
    const web = service('web', { headless: true });
    const pods = ['10.1.0.2', '10.1.0.1'].map((address, index) => ({ address, hostname: `web-${index}` }));
    expect(
      table([web], [{ service: web, pods: [...pods, { address: '10.1.0.3', hostname: undefined }] }]),
    ).toMatchObject({
      web: '10.1.0.1 10.1.0.2 10.1.0.3',
      'web.default.svc.cluster.local': '10.1.0.1 10.1.0.2 10.1.0.3',
      'web-0.web': '10.1.0.2',
      'web-1.web.default.svc.cluster.local': '10.1.0.1',
    });
  });

  it('that are complete go before short forms that spell the same; of two services the first answers', () => {
    const services = [
      service('api', { addresses: ['10.0.0.1'] }),
      service('other', { hostname: 'api.default', addresses: ['10.0.0.2'] }),
      service('again', { hostname: 'api.default', addresses: ['10.0.0.3'] }),
    ];
    expect(table(services)).toMatchObject({
      api: '10.0.0.1',
      'api.default': '10.0.0.2',
      'api.default.svc': '10.0.0.1',
    });
  });
});

describe('the DNS listener', () => {
  const services = [
    service('web', { addresses: ['10.0.0.1'], ports: [port(80)] }),
    service('v6.example.com', { addresses: ['2001:db8::1', '10.0.0.2'] }),
  ];
  const built = buildDnsListener({ services, headless: [], traits: { ...traits, dnsCapture: true } });
  const config = built?.message.listenerFilters?.[0]?.typedConfig;
  const type = 'envoy.extensions.filters.udp.dns_filter.v3.DnsFilterConfig';
  const filter = config === undefined ? undefined : unpack(type, config);
  const domains = filter?.serverConfig?.inlineDnsTable?.virtualDomains ?? [];
  const answers = new Map(domains.map(({ name, endpoint }) => [name, endpoint?.addressList?.address]));

  it('listens to the pod alone, by UDP', () => {
    encodeMessage('envoy.config.listener.v3.Listener', built?.message ?? {});
    expect(built?.message.address?.socketAddress).toEqual({ protocol: 1, address: '127.0.0.1', portValue: 15_053 });
  });

  it('gives names without an IPv6 address one that is the IPv4 address in disguise', () => {
    expect(answers.get('web')).toEqual(['10.0.0.1', '::ffff:10.0.0.1']);
    expect(answers.get('v6.example.com')).toEqual(['10.0.0.2', '2001:db8::1']);
  });

  it('asks the pod’s own servers for the rest, and outwaits clients rather than say no', () => {
    expect(filter?.clientConfig).toMatchObject({ resolverTimeout: { seconds: 15 }, maxPendingLookups: 4096 });
    expect(filter?.clientConfig?.typedDnsResolverConfig?.name).toBe('envoy.network.dns_resolver.cares');
  });

  it('is there only where queries are captured', () => {
    expect(buildDnsListener({ services, headless: [], traits })).toBeUndefined();
  });
});
