import type { ProxyHeaders } from '../../../apis/mesh/proxy-config.ts';
import type {
  ConfigListenerFilter,
  Http1ProtocolOptions,
  HttpConnectionManager,
  HttpConnectionManager_InternalAddressConfig,
  HttpFilter,
  Rds,
  RouteConfiguration,
  TypedExtensionConfig,
} from '../../../gen/types.ts';
import {
  HttpConnectionManager_CodecType as Codec,
  HttpConnectionManager_PathWithEscapedSlashesAction as EscapedSlashes,
  HttpConnectionManager_ForwardClientCertDetails as ForwardClientCert,
  HttpConnectionManager_ServerHeaderTransformation as ServerHeader,
} from '../../../gen/types.ts';
import { adsSource, bool, duration, extension, uint32 } from '../protobuf.ts';
import { buildHttpFilters } from './http-filters.ts';
import type { ListenerSettings, PathNormalization } from './settings.ts';

/** Which way the requests go; it decides whom the proxy believes, and what it tells about the client. */
export type HttpDirection = 'outbound' | 'inbound' | 'gateway';

export type HttpRoutes =
  | { readonly kind: 'rds'; readonly name: string }
  | { readonly kind: 'inline'; readonly configuration: RouteConfiguration };

export type HttpManagerInputs = {
  readonly direction: HttpDirection;
  readonly statPrefix: string;
  readonly routes: HttpRoutes;
  readonly settings: ListenerSettings;
  readonly http10: boolean;
  readonly grpcWeb: boolean;
  /** What requests pass first, in order. */
  readonly security: readonly HttpFilter[];
  /** Whether routes may tell the server what is inside mutual TLS. */
  readonly tellsProtocol: boolean;
};

export function buildHttpManager(inputs: HttpManagerInputs): ConfigListenerFilter {
  return extension(
    'envoy.filters.network.http_connection_manager',
    'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    buildManager(inputs),
  );
}

/** Some fields of a connection manager. `Partial` would spread the alternatives of its routes. */
type Part<Field extends keyof HttpConnectionManager> = {
  readonly [Name in Field]?: HttpConnectionManager[Name] | undefined;
};

function buildManager(inputs: HttpManagerInputs): HttpConnectionManager {
  const { settings, direction } = inputs;
  const { proxyHeaders } = settings;
  return {
    codecType: Codec.AUTO,
    statPrefix: inputs.statPrefix,
    ...buildRoutes(inputs.routes),
    httpFilters: buildHttpFilters({
      security: inputs.security,
      grpcWeb: inputs.grpcWeb,
      tellsProtocol: inputs.tellsProtocol,
      suppressEnvoyHeaders: proxyHeaders.envoyDebugHeaders?.disabled === true,
    }),
    accessLog: settings.accessLog,
    httpProtocolOptions: buildHttp1Options(inputs),
    upgradeConfigs: [{ upgradeType: 'websocket' }],
    streamIdleTimeout: duration(0),
    commonHttpProtocolOptions: settings.idleTimeout && { idleTimeout: settings.idleTimeout },
    ...buildNormalization(settings.pathNormalization),
    ...buildServerHeader(direction, proxyHeaders),
    ...buildClientIdentity(direction, settings),
    generateRequestId: proxyHeaders.requestId?.disabled === true ? bool(false) : undefined,
    appendXForwardedPort: proxyHeaders.xForwardedPort?.enabled,
    requestIdExtension: {
      typedConfig: extension('', 'envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig', {
        useRequestIdForTraceSampling: bool(true),
      }).typedConfig,
    },
  };
}

function buildRoutes(routes: HttpRoutes): { readonly rds: Rds } | { readonly routeConfig: RouteConfiguration } {
  if (routes.kind === 'inline') return { routeConfig: routes.configuration };
  return { rds: { configSource: adsSource, routeConfigName: routes.name } };
}

function buildHttp1Options({ http10, settings }: HttpManagerInputs): Http1ProtocolOptions | undefined {
  const isCaseKept = settings.proxyHeaders.preserveHttp1HeaderCase === true;
  if (!http10 && !isCaseKept) return undefined;
  return {
    acceptHttp_10: http10,
    headerKeyFormat: isCaseKept ? { statefulFormatter: buildPreserveCase() } : undefined,
  };
}

function buildPreserveCase(): TypedExtensionConfig {
  return extension(
    'preserve_case',
    'envoy.extensions.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig',
    {},
  );
}

function buildNormalization(
  mode: PathNormalization,
): Part<'normalizePath' | 'mergeSlashes' | 'pathWithEscapedSlashesAction'> {
  return {
    normalizePath: bool(mode !== 'NONE'),
    mergeSlashes: mode === 'MERGE_SLASHES' || mode === 'DECODE_AND_MERGE_SLASHES',
    pathWithEscapedSlashesAction:
      mode === 'DECODE_AND_MERGE_SLASHES' ? EscapedSlashes.UNESCAPE_AND_FORWARD : EscapedSlashes.KEEP_UNCHANGED,
  };
}

/** Outbound keeps Envoy's own name, as Istio does: what a server says about itself comes from the inbound side. */
function buildServerHeader(
  direction: HttpDirection,
  { server }: ProxyHeaders,
): Part<'serverName' | 'serverHeaderTransformation'> {
  if (server?.disabled === true) return { serverHeaderTransformation: ServerHeader.PASS_THROUGH };
  if (server?.value !== undefined && server.value !== '') return { serverName: server.value };
  return direction === 'outbound' ? {} : { serverName: 'istio-envoy' };
}

/** Since 1.33 Envoy calls no address internal by itself; a client in the mesh may set x-envoy-upstream-rq-timeout-ms and the like. */
const internalAddresses: HttpConnectionManager_InternalAddressConfig = {
  cidrRanges: [
    ['10.0.0.0', 8],
    ['127.0.0.0', 8],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
  ].map(([addressPrefix, bits]) => ({ addressPrefix: String(addressPrefix), prefixLen: uint32(Number(bits)) })),
};

type Identity = 'useRemoteAddress' | 'internalAddressConfig' | 'xffNumTrustedHops';
type ClientCert = 'forwardClientCertDetails' | 'setCurrentClientCertDetails';

function buildClientIdentity(direction: HttpDirection, settings: ListenerSettings): Part<Identity | ClientCert> {
  switch (direction) {
    case 'outbound':
      return { useRemoteAddress: bool(false), internalAddressConfig: internalAddresses };
    case 'inbound':
      return {
        useRemoteAddress: bool(false),
        internalAddressConfig: internalAddresses,
        ...buildClientCert(settings.proxyHeaders),
      };
    case 'gateway':
      return {
        useRemoteAddress: bool(true),
        xffNumTrustedHops: settings.gatewayTopology.numTrustedProxies,
        forwardClientCertDetails: forwardMode(settings.gatewayTopology.forwardClientCertDetails, 'SANITIZE_SET'),
        setCurrentClientCertDetails: { subject: bool(true), cert: true, dns: true, uri: true },
      };
  }
}

function buildClientCert({
  forwardedClientCert,
  setCurrentClientCertDetails: details,
}: ProxyHeaders): Part<ClientCert> {
  const forwardClientCertDetails = forwardMode(forwardedClientCert, 'APPEND_FORWARD');
  if (details === undefined) {
    return { forwardClientCertDetails, setCurrentClientCertDetails: { subject: bool(true), dns: true, uri: true } };
  }
  const { subject, cert, chain, dns, uri } = details;
  return {
    forwardClientCertDetails,
    setCurrentClientCertDetails: { subject: bool(subject ?? true), cert, chain, dns: dns ?? true, uri: uri ?? true },
  };
}

function forwardMode(
  mode: ProxyHeaders['forwardedClientCert'],
  fallback: 'SANITIZE_SET' | 'APPEND_FORWARD',
): ForwardClientCert {
  switch (mode) {
    case undefined:
    case 'UNDEFINED':
      return ForwardClientCert[fallback];
    case 'ALWAYS_FORWARD_ONLY':
      return ForwardClientCert.ALWAYS_FORWARD_ONLY;
    default:
      return ForwardClientCert[mode];
  }
}
