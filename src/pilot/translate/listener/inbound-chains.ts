import type { ConfigListenerFilter, RouteConfiguration } from '../../../gen/types.ts';
import { type ClusterName, INBOUND_PASSTHROUGH_CLUSTER } from '../../../model/ids.ts';
import type { Protocol } from '../../../model/service.ts';
import { buildHttpManager } from '../filters/http-connection-manager.ts';
import type { ListenerSettings } from '../filters/settings.ts';
import { buildMongoProxy, buildPlainTcpProxy } from '../filters/tcp-proxy.ts';
import { buildInboundRoute } from '../route/inbound.ts';
import type { ChainDraft } from './chain.ts';
import { type InboundTlsMode, inboundRows, sniffedProtocols } from './inbound-match.ts';
import type { InboundPort } from './inbound-plan.ts';
import { buildPassthroughRoute } from './inbound-route.ts';
import { listenerName } from './outbound-draft.ts';
import { WILDCARD_ADDRESS } from './outbound-plan.ts';
import { listenProtocol } from './ports.ts';

export type PortChainsInputs = {
  readonly port: InboundPort;
  readonly settings: ListenerSettings;
  readonly http10: boolean;
  readonly mode: InboundTlsMode;
  /** On a socket of its own, where the port need not be matched. */
  readonly bound: boolean;
};

export function buildPortChains({ port, settings, http10, mode, bound }: PortChainsInputs): readonly ChainDraft[] {
  const protocol = listenProtocol(port);
  const name = listenerName(WILDCARD_ADDRESS, port.port);
  const target: Target = {
    name,
    cluster: port.cluster,
    route: buildInboundRoute({ targetPort: port.port, member: port.member }),
    protocol,
    settings,
    http10,
  };
  return inboundRows({ protocol, mode, http10 }).map(({ match, serves }) => ({
    name,
    match: bound ? match : { ...match, destinationPort: port.port },
    filters: serves === 'http' ? [httpFilter(target)] : tcpFilters(target),
    needs: [],
    origins: port.origins,
    place: undefined,
  }));
}

/** For ports that no service names: they are passed on as they come, and HTTP is seen for what it is. */
export function buildPassthroughChains(settings: ListenerSettings, http10: boolean): readonly ChainDraft[] {
  const target: Target = {
    name: WILDCARD_ADDRESS,
    route: buildPassthroughRoute(INBOUND_PASSTHROUGH_CLUSTER),
    cluster: INBOUND_PASSTHROUGH_CLUSTER,
    protocol: 'auto',
    settings,
    http10,
  };
  const unowned = { needs: [], origins: [], place: undefined };
  return [
    { ...unowned, name: 'virtualInbound', match: { transport: 'raw_buffer' }, filters: tcpFilters(target) },
    {
      ...unowned,
      name: 'virtualInbound-catchall-http',
      match: { transport: 'raw_buffer', protocols: sniffedProtocols(http10) },
      filters: [httpFilter(target)],
    },
  ];
}

type Target = {
  readonly name: string;
  readonly route: RouteConfiguration;
  readonly cluster: ClusterName;
  readonly protocol: Protocol;
  readonly settings: ListenerSettings;
  readonly http10: boolean;
};

function httpFilter({ name, route, protocol, settings, http10 }: Target): ConfigListenerFilter {
  return buildHttpManager({
    direction: 'inbound',
    statPrefix: `inbound_${name}`,
    routes: { kind: 'inline', configuration: route },
    settings,
    http10,
    grpcWeb: protocol === 'GRPC-Web',
  });
}

function tcpFilters({ cluster, protocol, settings }: Target): readonly ConfigListenerFilter[] {
  const proxy = buildPlainTcpProxy(cluster, settings);
  return protocol === 'Mongo' ? [buildMongoProxy(cluster), proxy] : [proxy];
}
