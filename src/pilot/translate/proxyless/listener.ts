import { anyOf } from '../../../gen/codec.ts';
import {
  type Built,
  type BuiltVirtualHost,
  type ListenerType,
  originOf,
  type RouteConfigurationType,
  routeRef,
} from '../built.ts';
import type { ServiceAtPort } from '../plan.ts';
import { adsSource, extension } from '../protobuf.ts';

/** Who dials `xds:///host:port` asks for a listener of that name; the routes are those of the host alone. */
export function buildApiListener(at: ServiceAtPort, name: string): Built<ListenerType> {
  const route = proxylessRouteName(at);
  return {
    type: 'envoy.config.listener.v3.Listener',
    name,
    message: {
      name,
      apiListener: {
        apiListener: anyOf('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', {
          statPrefix: route,
          rds: { configSource: adsSource, routeConfigName: route },
          httpFilters: [
            extension('envoy.filters.http.fault', 'envoy.extensions.filters.http.fault.v3.HTTPFault', {}),
            extension('envoy.filters.http.router', 'envoy.extensions.filters.http.router.v3.Router', {}),
          ],
        }),
      },
    },
    needs: [routeRef(route)],
    origins: [originOf(at.service.origin, 'spec')],
  };
}

/** Istio's name of a gRPC client's routes: that of the cluster they lead to by default. */
export function proxylessRouteName({ service, port }: ServiceAtPort): string {
  return `outbound|${port.port}||${service.hostname}`;
}

/** One virtual host that takes every authority: the name of the listener already said which service is meant. */
export function buildProxylessRoutes(at: ServiceAtPort, virtualHost: BuiltVirtualHost): Built<RouteConfigurationType> {
  const name = proxylessRouteName(at);
  return {
    type: 'envoy.config.route.v3.RouteConfiguration',
    name,
    message: { name, virtualHosts: [{ ...virtualHost.message, domains: ['*'] }] },
    needs: virtualHost.needs,
    origins: virtualHost.origins,
  };
}
