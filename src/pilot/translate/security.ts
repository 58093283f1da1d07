import type { ConfigListenerFilter, HttpFilter } from '../../gen/types.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { Origin, ResourceRef } from '../../xds/resource.ts';
import { accessAt } from './access/binding.ts';
import { buildHttpAccess } from './access/http.ts';
import type { AccessPlan } from './access/plan.ts';
import { buildTcpAccess } from './access/tcp.ts';
import { buildTokenFilters, tellUncheckedPort } from './jwt/filters.ts';
import type { RequestPlan } from './jwt/plan.ts';
import type { PeerPlan } from './peer/plan.ts';
import type { ServiceAtPort } from './plan.ts';

/** All that protects one workload. Workloads with the same protection share one record. */
export type WorkloadSecurity = {
  readonly peer: PeerPlan;
  readonly request: RequestPlan;
  readonly access: AccessPlan;
};

/** Where filters stand. */
export type SecuritySite = {
  readonly direction: 'inbound' | 'gateway';
  /** The port that the proxy's own workload serves; a gateway's is its listener's. Undefined where one chain serves many ports. */
  readonly port: number | undefined;
  /** The service that decides how the port is served, where there is one. */
  readonly member: ServiceAtPort | undefined;
  /** Whether the connection is mutual TLS, so that the peer has an identity. PERMISSIVE listeners have chains of both kinds. */
  readonly isMutualTls: boolean;
};

/** Filters, and whom they concern. */
export type SecurityPart<Filter> = {
  readonly filters: readonly Filter[];
  readonly needs: readonly ResourceRef[];
  readonly origins: readonly Origin[];
  readonly diagnostics: readonly Diagnostic[];
};

/** What an HTTP request passes before all else: the external authorizer, tokens, then who may do what. */
export function buildHttpSecurity(security: WorkloadSecurity, site: SecuritySite): SecurityPart<HttpFilter> {
  const { custom, rules } = buildHttpAccess(accessAt(security.access, security.request, site), site);
  return joinParts([custom, buildTokenFilters(security.request, site), rules]);
}

/** What a connection passes before it is forwarded. */
export function buildTcpSecurity(security: WorkloadSecurity, site: SecuritySite): SecurityPart<ConfigListenerFilter> {
  const access = buildTcpAccess(security.access, site);
  const unchecked = tellUncheckedPort(security.request, site);
  return unchecked.length === 0 ? access : { ...access, diagnostics: [...access.diagnostics, ...unchecked] };
}

function joinParts<Filter>(parts: readonly SecurityPart<Filter>[]): SecurityPart<Filter> {
  return {
    filters: parts.flatMap(({ filters }) => filters),
    needs: parts.flatMap(({ needs }) => needs),
    origins: parts.flatMap(({ origins }) => origins),
    diagnostics: parts.flatMap(({ diagnostics }) => diagnostics),
  };
}
