import { decodeMessage, encodeMessage, type MessageName } from '../../../../gen/codec.ts';
import type { Any, ConfigListenerFilter, FilterChain, Listener, Messages } from '../../../../gen/types.ts';

/** A listener in lines a person can check: which connections go where. What cannot be encoded fails here. */
export function summarize(listener: Listener): readonly string[] {
  encodeMessage('envoy.config.listener.v3.Listener', listener);
  const rest = listener.defaultFilterChain;
  return [...(listener.filterChains ?? []).map(line), ...(rest === undefined ? [] : [`else ${line(rest)}`])];
}

/** The listener filters by their short names, with the ports they leave alone. */
export function inspectors(listener: Listener): readonly string[] {
  return (listener.listenerFilters ?? []).map(({ name = '', filterDisabled }) => {
    const { orMatch, destinationPortRange } = filterDisabled ?? {};
    const ranges = orMatch?.rules?.map((rule) => rule.destinationPortRange) ?? [destinationPortRange];
    const ports = ranges.flatMap((range) => range?.start ?? []);
    return [shortName(name), ...(ports.length === 0 ? [] : [`not ${ports.join(',')}`])].join(' ');
  });
}

/** The configuration of the first filter (or extension) with that short name, anywhere in a chain of the listener. */
export function filterConfig<K extends MessageName>(listener: Listener, type: K, chain = 0): Messages[K] {
  const chains = [
    ...(listener.filterChains ?? []),
    ...(listener.defaultFilterChain ? [listener.defaultFilterChain] : []),
  ];
  const filters = chains[chain]?.filters ?? [];
  const found = filters.find((filter) => filter.typedConfig?.type_url.endsWith(`/${type}`))?.typedConfig;
  if (found === undefined) throw new Error(`chain ${chain} has no ${type}`);
  return unpack(type, found);
}

export function unpack<K extends MessageName>(type: K, any: Any): Messages[K] {
  return decodeMessage(type, any.value);
}

function line(chain: FilterChain): string {
  const tls = chain.transportSocket === undefined ? '' : 'tls-ended ';
  return `${match(chain)}→ ${tls}${(chain.filters ?? []).map(filter).join(' ')}`;
}

function match({ filterChainMatch = {} }: FilterChain): string {
  const {
    destinationPort,
    prefixRanges = [],
    serverNames = [],
    transportProtocol,
    applicationProtocols = [],
  } = filterChainMatch;
  const parts = [
    ...(destinationPort === undefined ? [] : [`:${destinationPort.value}`]),
    ...prefixRanges.map(({ addressPrefix, prefixLen }) => `${addressPrefix}/${prefixLen?.value ?? 0}`),
    ...(serverNames.length === 0 ? [] : [`sni ${serverNames.join(',')}`]),
    ...(transportProtocol === undefined ? [] : [transportProtocol === 'raw_buffer' ? 'raw' : transportProtocol]),
    ...(applicationProtocols.length === 0 ? [] : [applicationProtocols.join(',')]),
  ];
  return parts.map((part) => `${part} `).join('');
}

function filter({ name = '', typedConfig }: ConfigListenerFilter): string {
  if (typedConfig === undefined) return shortName(name);
  if (name === 'envoy.filters.network.http_connection_manager') {
    const type = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
    const { rds, routeConfig } = unpack(type, typedConfig);
    return rds === undefined ? `http inline ${routeConfig?.name}` : `http rds ${rds.routeConfigName}`;
  }
  if (name !== 'envoy.filters.network.tcp_proxy') return shortName(name);
  const proxy = unpack('envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy', typedConfig);
  const weighted = proxy.weightedClusters?.clusters?.map((one) => `${one.weight} ${one.name}`);
  return `tcp ${weighted?.join(' + ') ?? proxy.cluster}`;
}

function shortName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}
