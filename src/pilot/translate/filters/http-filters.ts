import type { HttpFilter } from '../../../gen/types.ts';
import { bool, extension } from '../protobuf.ts';
import { buildToldProtocol } from './told-protocol.ts';

/** What decides which HTTP filters a connection manager has. */
export type HttpFilterInputs = {
  readonly security: readonly HttpFilter[];
  readonly grpcWeb: boolean;
  readonly suppressEnvoyHeaders: boolean;
  /** Whether routes may tell the server what is inside mutual TLS. */
  readonly tellsProtocol: boolean;
};

type BuildHttpFilter = (inputs: HttpFilterInputs) => HttpFilter | readonly HttpFilter[] | undefined;

/** A request passes them from top to bottom. gRPC-Web becomes gRPC before it is counted; the router ends the list. */
const httpFilters: readonly BuildHttpFilter[] = [security, grpcWeb, grpcStats, fault, cors, toldProtocol, router];

export function buildHttpFilters(inputs: HttpFilterInputs): readonly HttpFilter[] {
  return httpFilters.flatMap((build) => build(inputs) ?? []);
}

function security(inputs: HttpFilterInputs): readonly HttpFilter[] {
  return inputs.security;
}

function grpcWeb(inputs: HttpFilterInputs): HttpFilter | undefined {
  if (!inputs.grpcWeb) return undefined;
  return extension('envoy.filters.http.grpc_web', 'envoy.extensions.filters.http.grpc_web.v3.GrpcWeb', {});
}

function grpcStats(): HttpFilter {
  return extension('envoy.filters.http.grpc_stats', 'envoy.extensions.filters.http.grpc_stats.v3.FilterConfig', {
    emitFilterState: true,
    statsForAllMethods: bool(false),
  });
}

function fault(): HttpFilter {
  return extension('envoy.filters.http.fault', 'envoy.extensions.filters.http.fault.v3.HTTPFault', {});
}

function cors(): HttpFilter {
  return extension('envoy.filters.http.cors', 'envoy.extensions.filters.http.cors.v3.Cors', {});
}

function toldProtocol({ tellsProtocol }: HttpFilterInputs): HttpFilter | undefined {
  return tellsProtocol ? buildToldProtocol() : undefined;
}

function router({ suppressEnvoyHeaders }: HttpFilterInputs): HttpFilter {
  return extension('envoy.filters.http.router', 'envoy.extensions.filters.http.router.v3.Router', {
    suppressEnvoyHeaders,
  });
}
