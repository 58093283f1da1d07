import type { ExtensionProvider } from '../../../apis/mesh/extension-provider.ts';
import {
  ApiVersion,
  type BufferSettings,
  type ConfigListenerFilter,
  type ExtAuthzHttpService,
  type GrpcService,
  type HttpExtAuthzExtAuthz,
  type HttpFilter,
  type ListStringMatcher,
  type MetadataMatcher,
  type StatusCode,
} from '../../../gen/types.ts';
import { sortedEntries } from '../../../kit/order.ts';
import { outboundClusterName } from '../../../model/ids.ts';
import { isHttp2 } from '../../../model/service.ts';
import type { ResourceRef } from '../../../xds/resource.ts';
import { clusterRef } from '../built.ts';
import { duration, extension, millisOf } from '../protobuf.ts';
import { EXT_AUTHZ_POLICY, type ProviderPolicies } from './custom.ts';
import { parsePattern } from './pattern.ts';
import type { Authorizer } from './plan.ts';

/** The filter that asks, and the cluster it needs; or why nobody can be asked. */
export type BuiltAuthorizer<Filter> =
  | { readonly kind: 'asks'; readonly filter: Filter; readonly cluster: ResourceRef }
  | { readonly kind: 'problem'; readonly problem: string };

type HttpSettings = NonNullable<ExtensionProvider['envoyExtAuthzHttp']>;
type GrpcSettings = NonNullable<ExtensionProvider['envoyExtAuthzGrpc']>;
type Place = { readonly hostname: string; readonly port: number };

/** Istio's. */
const TIMEOUT_MS = 600_000;
const HTTP_NAME = 'envoy.filters.http.ext_authz';
const NETWORK_NAME = 'envoy.filters.network.ext_authz';

/** Why an authorizer cannot be asked about requests, or about connections, if so. */
export function problemOf({ place, settings }: Authorizer, serves: 'http' | 'tcp'): string | undefined {
  if (place.kind === 'nowhere') return place.reason;
  if (settings.kind === 'unknown') return 'the provider is of a type that authorizes nothing';
  if (settings.kind === 'http') return serves === 'http' ? undefined : 'only envoyExtAuthzGrpc can be asked about TCP';
  return isHttp2(place.protocol) ? undefined : notGrpc(place);
}

export function buildHttpAuthorizer({ authorizer, statPrefix }: ProviderPolicies): BuiltAuthorizer<HttpFilter> {
  const { place, settings } = authorizer;
  const problem = problemOf(authorizer, 'http') ?? '';
  if (problem !== '' || place.kind === 'nowhere' || settings.kind === 'unknown') return { kind: 'problem', problem };
  const cluster = clusterRef(outboundClusterName(place.port, '', place.hostname));
  const service =
    settings.kind === 'http'
      ? {
          allowedHeaders: headersInCheck(settings.http),
          httpService: httpService(settings.http, place, cluster.name),
        }
      : { grpcService: grpcService(settings.grpc, place, cluster.name) };
  const message: HttpExtAuthzExtAuthz = {
    ...commonFields(settings.kind === 'http' ? settings.http : settings.grpc),
    filterEnabledMetadata: whenMarked('envoy.filters.http.rbac', statPrefix),
    ...service,
  };
  const filter = extension(HTTP_NAME, 'envoy.extensions.filters.http.ext_authz.v3.ExtAuthz', message);
  return { kind: 'asks', filter, cluster };
}

export function buildTcpAuthorizer({
  authorizer,
  statPrefix,
}: ProviderPolicies): BuiltAuthorizer<ConfigListenerFilter> {
  const { place, settings } = authorizer;
  const problem = problemOf(authorizer, 'tcp') ?? '';
  if (problem !== '' || place.kind === 'nowhere' || settings.kind !== 'grpc') return { kind: 'problem', problem };
  const cluster = clusterRef(outboundClusterName(place.port, '', place.hostname));
  const filter = extension(NETWORK_NAME, 'envoy.extensions.filters.network.ext_authz.v3.ExtAuthz', {
    statPrefix: 'tcp.',
    transportApiVersion: ApiVersion.V3,
    failureModeAllow: settings.grpc.failOpen === true,
    filterEnabledMetadata: whenMarked('envoy.filters.network.rbac', statPrefix),
    grpcService: grpcService(settings.grpc, place, cluster.name),
  });
  return { kind: 'asks', filter, cluster };
}

function notGrpc({ hostname, port }: Place): string {
  return `port ${port} of ${hostname} is not declared as gRPC; name it grpc or http2, or set its appProtocol`;
}

function whenMarked(filter: string, statPrefix: string): MetadataMatcher {
  const path = [{ key: `${statPrefix}shadow_effective_policy_id` }];
  return { filter, path, value: { stringMatch: { prefix: EXT_AUTHZ_POLICY } } };
}

type CommonFields = Pick<
  HttpExtAuthzExtAuthz,
  'transportApiVersion' | 'failureModeAllow' | 'clearRouteCache' | 'statusOnError' | 'withRequestBody'
>;

function commonFields({
  failOpen,
  clearRouteCache,
  statusOnError,
  includeRequestBodyInCheck: body,
}: HttpSettings | GrpcSettings): CommonFields {
  return {
    transportApiVersion: ApiVersion.V3,
    failureModeAllow: failOpen === true,
    clearRouteCache: clearRouteCache === true,
    statusOnError: statusOf(statusOnError),
    withRequestBody: body === undefined ? undefined : bodyOf(body),
  };
}

/** A status that is none is warned about where it is written; the default is 403. */
function statusOf(text: string | undefined): { readonly code: StatusCode } | undefined {
  return text !== undefined && /^[2-5]\d\d$/.test(text) ? { code: Number(text) as StatusCode } : undefined;
}

function bodyOf(body: NonNullable<HttpSettings['includeRequestBodyInCheck']>): BufferSettings {
  return {
    maxRequestBytes: Math.max(1, body.maxRequestBytes ?? 1),
    allowPartialMessage: body.allowPartialMessage === true,
    packAsBytes: body.packAsBytes === true,
  };
}

function grpcService({ timeout }: GrpcSettings, { hostname }: Place, clusterName: string): GrpcService {
  return { envoyGrpc: { clusterName, authority: hostname }, timeout: duration(millisOf(timeout) ?? TIMEOUT_MS) };
}

function httpService(settings: HttpSettings, { hostname, port }: Place, cluster: string): ExtAuthzHttpService {
  const added = sortedEntries(settings.includeAdditionalHeadersInCheck ?? {});
  const prefix = settings.pathPrefix ?? '';
  return {
    serverUri: {
      uri: `http://${hostname}:${port}`,
      cluster,
      timeout: duration(millisOf(settings.timeout) ?? TIMEOUT_MS),
    },
    pathPrefix: prefix.startsWith('/') || prefix === '' ? prefix : `/${prefix}`,
    authorizationRequest:
      added.length === 0 ? undefined : { headersToAdd: added.map(([key, value]) => ({ key, value })) },
    authorizationResponse: {
      allowedUpstreamHeaders: headerList(settings.headersToUpstreamOnAllow),
      allowedClientHeaders: headerList(settings.headersToDownstreamOnDeny),
      allowedClientHeadersOnSuccess: headerList(settings.headersToDownstreamOnAllow),
    },
  };
}

function headersInCheck({
  includeRequestHeadersInCheck = [],
  includeHeadersInCheck = [],
}: HttpSettings): ListStringMatcher | undefined {
  return headerList(includeRequestHeadersInCheck.length > 0 ? includeRequestHeadersInCheck : includeHeadersInCheck);
}

/** Names of headers, compared without regard to case. */
function headerList(names: readonly string[] | undefined): ListStringMatcher | undefined {
  if (names === undefined || names.length === 0) return undefined;
  return {
    patterns: names.map((name) => {
      const pattern = parsePattern(name);
      if (pattern.kind === 'present' || pattern.text === '') return { safeRegex: { regex: '.*' } };
      switch (pattern.kind) {
        case 'exact':
          return { exact: pattern.text, ignoreCase: true };
        case 'prefix':
          return { prefix: pattern.text, ignoreCase: true };
        case 'suffix':
          return { suffix: pattern.text, ignoreCase: true };
      }
    }),
  };
}
