import { describe, expect, test } from 'vitest';
import { encodeMessage, type MessageName, typeUrlOf } from '../gen/codec.ts';
import type { Messages } from '../gen/types.ts';
import type { XdsSnapshot } from '../xds/ports.ts';
import { type EncodedResource, encodeResource } from '../xds/resource.ts';
import { emptyResourceSet, nextResourceSet } from '../xds/resource-set.ts';
import { Verdicts } from '../xds/verdicts.ts';
import { dumpSnapshot, envoyConfigDump } from './config-dump.ts';

const origins = [{ kind: 'Service', namespace: 'shop', name: 'reviews', path: 'spec' }];

function resource<Name extends MessageName>(type: Name, name: string, message: Messages[Name]): EncodedResource {
  return encodeResource({ typeUrl: typeUrlOf(type), name, value: encodeMessage(type, message), needs: [], origins });
}

function snapshotOf(...resources: readonly EncodedResource[]): XdsSnapshot {
  const verdicts = new Verdicts();
  const byType = Map.groupBy(resources, ({ typeUrl }) => typeUrl);
  return new Map([...byType].map(([url, list]) => [url, nextResourceSet(emptyResourceSet(url, verdicts), list)]));
}

const CLUSTER = 'envoy.config.cluster.v3.Cluster';
const SECRET = 'envoy.extensions.transport_sockets.tls.v3.Secret';
const beta = resource(CLUSTER, 'beta', { name: 'beta', connectTimeout: { seconds: 10 } });
const alpha = resource(CLUSTER, 'alpha', { name: 'alpha' });
const route = resource('envoy.config.route.v3.RouteConfiguration', '80', { name: '80' });
const pair = resource(SECRET, 'pair', {
  name: 'pair',
  tlsCertificate: {
    certificateChain: { filename: '/etc/certs/cert.pem' },
    privateKey: { inlineBytes: Buffer.from('very secret') },
  },
});

describe('a dump for people', () => {
  test('has resources by type and name, with where they came from, in Envoy’s own words', async () => {
    expect(await dumpSnapshot(snapshotOf(route, beta, alpha), () => true)).toEqual([
      {
        type: 'clusters',
        name: 'alpha',
        version: alpha.version,
        origins: ['Service shop/reviews spec'],
        resource: { name: 'alpha' },
      },
      {
        type: 'clusters',
        name: 'beta',
        version: beta.version,
        origins: ['Service shop/reviews spec'],
        resource: { name: 'beta', connect_timeout: '10s' },
      },
      {
        type: 'routes',
        name: '80',
        version: route.version,
        origins: ['Service shop/reviews spec'],
        resource: { name: '80' },
      },
    ]);
  });

  test('has only what is wanted', async () => {
    const dumped = await dumpSnapshot(
      snapshotOf(route, beta, alpha),
      (type, name) => type === 'clusters' && name > 'b',
    );
    expect(dumped.map(({ name }) => name)).toEqual(['beta']);
  });

  test('of secrets names files and hides contents', async () => {
    const [dumped] = await dumpSnapshot(snapshotOf(pair), () => true);
    expect(dumped?.resource).toEqual({
      name: 'pair',
      tls_certificate: {
        certificate_chain: { filename: '/etc/certs/cert.pem' },
        private_key: { inline_bytes: '[redacted]' },
      },
    });
  });

  test('of nothing is empty', async () => {
    expect(await dumpSnapshot(new Map(), () => true)).toEqual([]);
  });
});

describe('Envoy’s own dump', () => {
  test('has a section per type, empty or not', async () => {
    const prefix = 'type.googleapis.com/envoy.admin.v3';
    expect(await envoyConfigDump(snapshotOf(beta, route))).toEqual({
      configs: [
        {
          '@type': `${prefix}.ClustersConfigDump`,
          dynamic_active_clusters: [
            {
              version_info: beta.version,
              cluster: { '@type': typeUrlOf(CLUSTER), name: 'beta', connect_timeout: '10s' },
            },
          ],
        },
        { '@type': `${prefix}.ListenersConfigDump` },
        {
          '@type': `${prefix}.RoutesConfigDump`,
          dynamic_route_configs: [
            { version_info: route.version, route_config: { '@type': route.typeUrl, name: '80' } },
          ],
        },
        { '@type': `${prefix}.EndpointsConfigDump` },
        { '@type': `${prefix}.SecretsConfigDump` },
      ],
    });
  });

  test('hides the contents of secrets, and nothing else', async () => {
    const inline = resource('envoy.config.route.v3.RouteConfiguration', '81', {
      name: '81',
      virtualHosts: [
        {
          name: 'a',
          domains: ['*'],
          routes: [{ match: { prefix: '/' }, directResponse: { status: 200, body: { inlineString: 'hello' } } }],
        },
      ],
    });
    const dump = JSON.stringify(await envoyConfigDump(snapshotOf(pair, inline)));
    expect(dump).toContain('"inline_string":"hello"');
    expect(dump).toContain('"private_key":{"inline_bytes":"[redacted]"}');
    expect(dump).not.toContain(Buffer.from('very secret').toString('base64'));
  });
});
