import { describe, expect, it } from 'vitest';
import type { MeshConfig } from '../../../apis/mesh/mesh-config.ts';
import { encodeMessage } from '../../../gen/codec.ts';
import type { HttpConnectionManager } from '../../../gen/types.ts';
import { PASSTHROUGH_CLUSTER } from '../../../model/ids.ts';
import { meshConfig } from '../../../testing/config.ts';
import { unpack } from '../listener/testing/summary.ts';
import { buildHttpManager, type HttpManagerInputs } from './http-connection-manager.ts';
import { buildHttpFilters } from './http-filters.ts';
import { readListenerSettings } from './settings.ts';
import { buildTcpProxy, connectionsOf } from './tcp-proxy.ts';

const type = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';

type Options = Partial<HttpManagerInputs> & { readonly mesh?: Partial<MeshConfig> };

function manager({ mesh = {}, ...options }: Options = {}): HttpConnectionManager {
  const { typedConfig } = buildHttpManager({
    direction: 'outbound',
    security: [],
    statPrefix: 'outbound_0.0.0.0_80',
    routes: { kind: 'rds', name: '80' },
    settings: readListenerSettings(meshConfig(mesh)),
    http10: false,
    grpcWeb: false,
    tellsProtocol: false,
    ...options,
  });
  if (typedConfig === undefined) throw new Error('no typed config');
  return unpack(type, typedConfig);
}

function proxyConfig(defaults: Partial<MeshConfig['defaultConfig']>): Partial<MeshConfig> {
  return { defaultConfig: { ...meshConfig().defaultConfig, ...defaults } };
}

describe('HTTP filters', () => {
  it.each([
    [false, 'grpc_stats fault cors router'],
    [true, 'grpc_web grpc_stats fault cors router'],
  ])('in order, with gRPC-Web %s', (grpcWeb, expected) => {
    const filters = buildHttpFilters({ security: [], grpcWeb, tellsProtocol: false, suppressEnvoyHeaders: false });
    expect(filters.map(({ name = '' }) => name.replace('envoy.filters.http.', '')).join(' ')).toBe(expected);
  });
});

describe('a connection manager', () => {
  it('takes its routes from the stream, and waits for them', () => {
    expect(manager()).toMatchObject({
      statPrefix: 'outbound_0.0.0.0_80',
      rds: { routeConfigName: '80', configSource: { ads: {}, initialFetchTimeout: {}, resourceApiVersion: 2 } },
      upgradeConfigs: [{ upgradeType: 'websocket' }],
      streamIdleTimeout: {},
      normalizePath: { value: true },
    });
  });

  it.each<[HttpManagerInputs['direction'], Partial<HttpConnectionManager>]>([
    ['outbound', { useRemoteAddress: {}, serverName: '', forwardClientCertDetails: 0 }],
    [
      'inbound',
      {
        useRemoteAddress: {},
        serverName: 'istio-envoy',
        forwardClientCertDetails: 2,
        setCurrentClientCertDetails: { subject: { value: true }, dns: true, uri: true },
      },
    ],
    [
      'gateway',
      {
        useRemoteAddress: { value: true },
        serverName: 'istio-envoy',
        forwardClientCertDetails: 3,
        setCurrentClientCertDetails: { subject: { value: true }, cert: true, dns: true, uri: true },
      },
    ],
  ])('believes and tells as befits %s', (direction, expected) => {
    const {
      useRemoteAddress,
      serverName = '',
      forwardClientCertDetails = 0,
      setCurrentClientCertDetails,
    } = manager({
      direction,
    });
    const told = { useRemoteAddress, serverName, forwardClientCertDetails, setCurrentClientCertDetails };
    expect(told).toEqual({ setCurrentClientCertDetails: undefined, ...expected });
  });

  it.each<[NonNullable<MeshConfig['pathNormalization']>['normalization'], object]>([
    ['NONE', { normalizePath: { value: false }, mergeSlashes: false, escaped: 1 }],
    ['BASE', { normalizePath: { value: true }, mergeSlashes: false, escaped: 1 }],
    ['MERGE_SLASHES', { normalizePath: { value: true }, mergeSlashes: true, escaped: 1 }],
    ['DECODE_AND_MERGE_SLASHES', { normalizePath: { value: true }, mergeSlashes: true, escaped: 4 }],
  ])('normalises paths: %s', (normalization, expected) => {
    const {
      normalizePath,
      mergeSlashes = false,
      pathWithEscapedSlashesAction: escaped,
    } = manager({
      mesh: { pathNormalization: { normalization } },
    });
    expect({ normalizePath: { value: normalizePath?.value ?? false }, mergeSlashes, escaped }).toEqual(expected);
  });

  it.each<[string, Partial<MeshConfig['defaultConfig']>, Options, Partial<HttpConnectionManager>]>([
    [
      'no server header of its own',
      { proxyHeaders: { server: { disabled: true } } },
      {},
      { serverHeaderTransformation: 2 },
    ],
    ['another server name', { proxyHeaders: { server: { value: 'x' } } }, {}, { serverName: 'x' }],
    ['no request id', { proxyHeaders: { requestId: { disabled: true } } }, {}, { generateRequestId: {} }],
    [
      'the port it was asked on',
      { proxyHeaders: { xForwardedPort: { enabled: true } } },
      {},
      { appendXForwardedPort: true },
    ],
    [
      'another way with client certificates',
      { proxyHeaders: { forwardedClientCert: 'SANITIZE', setCurrentClientCertDetails: { cert: true, dns: false } } },
      { direction: 'inbound' },
      { setCurrentClientCertDetails: { subject: { value: true }, cert: true, uri: true } },
    ],
    [
      'proxies before the gateway',
      { gatewayTopology: { numTrustedProxies: 2 } },
      { direction: 'gateway' },
      { xffNumTrustedHops: 2 },
    ],
    [
      'another way with certificates at the gateway',
      { gatewayTopology: { forwardClientCertDetails: 'APPEND_FORWARD' } },
      { direction: 'gateway' },
      { forwardClientCertDetails: 2 },
    ],
  ])('can have %s', (_, defaults, options, expected) => {
    expect(manager({ ...options, mesh: proxyConfig(defaults) })).toMatchObject(expected);
  });

  it('may answer HTTP/1.0, and keep the case of headers', () => {
    expect(manager().httpProtocolOptions).toBeUndefined();
    expect(manager({ http10: true }).httpProtocolOptions).toMatchObject({ acceptHttp_10: true });
    const mesh = proxyConfig({ proxyHeaders: { preserveHttp1HeaderCase: true } });
    expect(manager({ mesh }).httpProtocolOptions?.headerKeyFormat?.statefulFormatter?.name).toBe('preserve_case');
  });
});

it('connections are idle for as long as the proxy says, TCP unless its rule says otherwise', () => {
  const settings = readListenerSettings(meshConfig(), '90s');
  const type = 'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy';
  const tcp = (idleTimeout?: string) => {
    const connections = { ...connectionsOf(undefined), idleTimeout };
    const clusters = [{ cluster: PASSTHROUGH_CLUSTER, weight: 1 }];
    const { typedConfig } = buildTcpProxy({ statPrefix: 'x', clusters, connections, settings });
    return typedConfig && unpack(type, typedConfig).idleTimeout?.seconds;
  };
  expect(manager({ settings }).commonHttpProtocolOptions).toMatchObject({ idleTimeout: { seconds: 90 } });
  expect(manager()).not.toHaveProperty('commonHttpProtocolOptions');
  expect([tcp(), tcp('5s')]).toEqual([90, 5]);
});

describe('detection of protocols', () => {
  it.each([
    ['0s', 5],
    ['10s', 10],
  ])('waits %s as %i seconds', (protocolDetectionTimeout, seconds) => {
    const { detectionTimeout } = readListenerSettings(meshConfig({ protocolDetectionTimeout }));
    expect(detectionTimeout).toEqual({ seconds, nanos: 0 });
    encodeMessage('google.protobuf.Duration', detectionTimeout);
  });
});
