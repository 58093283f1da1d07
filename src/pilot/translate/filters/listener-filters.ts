import type { ListenerFilter, ListenerFilterChainMatchPredicate } from '../../../gen/types.ts';
import { extension, uint32 } from '../protobuf.ts';

const listenerTypes = 'envoy.extensions.filters.listener';

/** The ports whose connections an inspector looks at. */
export type InspectedPorts = { readonly kind: 'all-but' | 'only'; readonly ports: readonly number[] };

const everywhere: InspectedPorts = { kind: 'all-but', ports: [] };

/** Says whether a connection begins with TLS, for which server name, and what the client offers to speak inside. */
export function buildTlsInspector(where: InspectedPorts = everywhere): ListenerFilter {
  const filter = extension('envoy.filters.listener.tls_inspector', `${listenerTypes}.tls_inspector.v3.TlsInspector`, {
    initialReadBufferSize: uint32(512),
  });
  return { ...filter, filterDisabled: disabledAt(where) };
}

/** Says whether a connection begins with HTTP, and in which version. */
export function buildHttpInspector(where: InspectedPorts = everywhere): ListenerFilter {
  const filter = extension(
    'envoy.filters.listener.http_inspector',
    `${listenerTypes}.http_inspector.v3.HttpInspector`,
    {},
  );
  return { ...filter, filterDisabled: disabledAt(where) };
}

/** Gives a captured connection the destination it had before iptables changed it. */
export function buildOriginalDst(): ListenerFilter {
  return extension('envoy.filters.listener.original_dst', `${listenerTypes}.original_dst.v3.OriginalDst`, {});
}

/** Under TPROXY, lets the application see the client's own address. The mark keeps the answer on its way through the proxy. */
export function buildOriginalSrc(): ListenerFilter {
  return extension('envoy.filters.listener.original_src', `${listenerTypes}.original_src.v3.OriginalSrc`, {
    mark: 1337,
  });
}

/** For gateways behind a load balancer that tells the client's address first. */
export function buildProxyProtocol(): ListenerFilter {
  return extension('envoy.filters.listener.proxy_protocol', `${listenerTypes}.proxy_protocol.v3.ProxyProtocol`, {});
}

function disabledAt({ kind, ports }: InspectedPorts): ListenerFilterChainMatchPredicate | undefined {
  const listed = portsPredicate(ports);
  return kind === 'all-but' || listed === undefined ? listed : { notMatch: listed };
}

function portsPredicate(ports: readonly number[]): ListenerFilterChainMatchPredicate | undefined {
  const rules = [...new Set(ports)]
    .sort((a, b) => a - b)
    .map((port) => ({ destinationPortRange: { start: port, end: port + 1 } }));
  // Envoy wants at least two rules in a set.
  return rules.length > 1 ? { orMatch: { rules } } : rules[0];
}
