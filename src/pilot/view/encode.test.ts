import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeMessage, encodeMessage } from '../../gen/codec.ts';
import type { RouteConfiguration, VirtualHost } from '../../gen/types.ts';
import type { EncodedResource } from '../../xds/resource.ts';
import type { Built, ClusterType, RouteConfigurationType } from '../translate/built.ts';
import { bool, uint32 } from '../translate/protobuf.ts';
import { encodeBuilt } from './encode.ts';

const ROUTES: RouteConfigurationType = 'envoy.config.route.v3.RouteConfiguration';

function routes(message: RouteConfiguration): Built<RouteConfigurationType> {
  return { type: ROUTES, name: message.name ?? '', message, needs: [], origins: [] };
}

function contentOf({ frame }: EncodedResource): Uint8Array {
  const { resources = [] } = decodeMessage('envoy.service.discovery.v3.DeltaDiscoveryResponse', frame);
  return resources[0]?.resource?.value ?? new Uint8Array();
}

const virtualHost: fc.Arbitrary<VirtualHost> = fc
  .record({ name: fc.string(), domains: fc.array(fc.string()), prefixes: fc.array(fc.string({ maxLength: 300 })) })
  .map(({ name, domains, prefixes }) => ({
    name,
    domains,
    routes: prefixes.map((prefix) => ({ match: { prefix }, route: { cluster: 'c' } })),
  }));

const configuration: fc.Arbitrary<RouteConfiguration> = fc
  .record({ name: fc.string(), hosts: fc.array(virtualHost), ignores: fc.boolean(), size: fc.nat() })
  .map(({ name, hosts, ignores, size }) => ({
    name,
    virtualHosts: hosts,
    validateClusters: bool(false),
    maxDirectResponseBodySizeBytes: uint32(size),
    ...(ignores ? { ignorePortInHostMatching: true } : {}),
  }));

describe('an encoded resource', () => {
  test('of routes is put together from virtual hosts, and says what it would say if encoded as one', () => {
    fc.assert(
      fc.property(configuration, (message) => {
        const joined = contentOf(encodeBuilt(routes(message)));
        expect(decodeMessage(ROUTES, joined)).toEqual(decodeMessage(ROUTES, encodeMessage(ROUTES, message)));
      }),
    );
  });

  test('of routes without virtual hosts is one too', () => {
    expect(decodeMessage(ROUTES, contentOf(encodeBuilt(routes({ name: '80' }))))).toEqual({ name: '80' });
  });

  test('of a virtual host larger than a length of two bytes can say', () => {
    const many = Array.from({ length: 3_000 }, (_, index) => ({ match: { path: `/${index}` }, redirect: {} }));
    const message = { name: '80', virtualHosts: [{ name: 'a', domains: ['*'], routes: many }] };
    const content = contentOf(encodeBuilt(routes(message)));
    expect(content.length).toBeGreaterThan(16_384);
    expect(decodeMessage(ROUTES, content).virtualHosts?.[0]?.routes).toHaveLength(3_000);
  });

  test('is the same object for the same built one, and another with the same version for an equal one', () => {
    const built: Built<ClusterType> = {
      type: 'envoy.config.cluster.v3.Cluster',
      name: 'c',
      message: { name: 'c', altStatName: 'c;' },
      needs: [{ typeUrl: 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment', name: 'c' }],
      origins: [{ kind: 'Service', namespace: 'a', name: 'x', path: 'spec' }],
    };
    const first = encodeBuilt(built);
    expect(encodeBuilt(built)).toBe(first);
    const equal = encodeBuilt({ ...built });
    expect(equal).not.toBe(first);
    expect(equal).toEqual(first);
    expect(first).toMatchObject({ name: 'c', needs: built.needs, origins: built.origins });
    expect(encodeBuilt({ ...built, message: { name: 'c' } }).version).not.toBe(first.version);
  });
});
