import type { ConnectionPool } from '../../../apis/networking/networking.ts';
import { anyOf } from '../../../gen/codec.ts';
import type {
  Any,
  Http2ProtocolOptions,
  HttpHttpProtocolOptions,
  HttpProtocolOptions,
  HttpProtocolOptions_ExplicitHttpConfig,
  HttpProtocolOptions_UseDownstreamHttpConfig,
  OneOf,
  UpstreamHttpProtocolOptions,
} from '../../../gen/types.ts';
import { isHttp, isHttp2, type Protocol } from '../../../model/service.ts';
import { durationOf, uint32 } from '../protobuf.ts';

/** Which HTTP a cluster speaks to its endpoints: the version they understand, or the one the client used. */
export type UpstreamHttp = 'http1' | 'http2' | 'as-client';

export type UpstreamHttpInputs = {
  readonly protocol: Protocol;
  readonly pool: ConnectionPool | undefined;
  /** The mesh's h2UpgradePolicy. */
  readonly upgrade: boolean;
  /** Whether what arrives on ports of unknown protocol was sniffed; a gateway knows what it serves. */
  readonly sniffs: boolean;
};

export function upstreamHttp({ protocol, pool, upgrade, sniffs }: UpstreamHttpInputs): UpstreamHttp {
  const { useClientProtocol, h2UpgradePolicy = 'DEFAULT' } = pool?.http ?? {};
  if (useClientProtocol === true) return 'as-client';
  if (isHttp2(protocol) || h2UpgradePolicy === 'UPGRADE') return 'http2';
  // Ports of other protocols are not upgraded: if HTTP goes there after all, the server may know only HTTP/1.1.
  if (isHttp(protocol) && upgrade && h2UpgradePolicy === 'DEFAULT') return 'http2';
  return protocol === 'auto' && sniffs ? 'as-client' : 'http1';
}

export type ProtocolOptionsInputs = {
  readonly speaks: UpstreamHttp;
  readonly pool: ConnectionPool | undefined;
  readonly fromHost: UpstreamHttpProtocolOptions | undefined;
};

const KEY = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

/** Nothing where HTTP/1.1 as Envoy speaks it by itself is meant. */
export function buildProtocolOptions(inputs: ProtocolOptionsInputs): { readonly [key: string]: Any } | undefined {
  const { speaks, pool, fromHost } = inputs;
  const common = commonOptions(pool);
  if (speaks === 'http1' && common === undefined && fromHost === undefined) return undefined;
  const options: HttpHttpProtocolOptions = {
    ...versions(speaks, pool),
    commonHttpProtocolOptions: common,
    upstreamHttpProtocolOptions: fromHost,
  };
  return { [KEY]: anyOf(KEY, options) };
}

function versions(
  speaks: UpstreamHttp,
  pool: ConnectionPool | undefined,
): OneOf<{
  explicitHttpConfig: HttpProtocolOptions_ExplicitHttpConfig;
  useDownstreamProtocolConfig: HttpProtocolOptions_UseDownstreamHttpConfig;
}> {
  const streams = pool?.http?.maxConcurrentStreams ?? 0;
  const http2: Http2ProtocolOptions = streams > 0 ? { maxConcurrentStreams: uint32(streams) } : {};
  switch (speaks) {
    case 'http1':
      return { explicitHttpConfig: { httpProtocolOptions: {} } };
    case 'http2':
      return { explicitHttpConfig: { http2ProtocolOptions: http2 } };
    case 'as-client':
      return { useDownstreamProtocolConfig: { httpProtocolOptions: {}, http2ProtocolOptions: http2 } };
  }
}

function commonOptions(pool: ConnectionPool | undefined): HttpProtocolOptions | undefined {
  const { tcp, http } = pool ?? {};
  const idleTimeout = durationOf(http?.idleTimeout) ?? durationOf(tcp?.idleTimeout);
  const maxConnectionDuration = durationOf(tcp?.maxConnectionDuration);
  const requests = http?.maxRequestsPerConnection ?? 0;
  if (idleTimeout === undefined && maxConnectionDuration === undefined && requests <= 0) return undefined;
  return {
    idleTimeout,
    maxConnectionDuration,
    maxRequestsPerConnection: requests > 0 ? uint32(requests) : undefined,
  };
}
