import { isIpv4, isIpv6 } from '../../../apis/address.ts';
import type { DnsTable_DnsVirtualDomain, Listener, ListenerFilter } from '../../../gen/types.ts';
import { SocketAddress_Protocol, TrafficDirection } from '../../../gen/types.ts';
import { memoByIdentity } from '../../../kit/memo.ts';
import type { Built, ListenerType } from '../built.ts';
import type { ProxyTraits } from '../plan.ts';
import { duration, extension, uint32, uint64 } from '../protobuf.ts';
import { buildNameTable, type HeadlessNames, type NameEntry, type NameTableInputs } from './name-table.ts';

export type DnsListenerInputs = {
  readonly services: NameTableInputs['services'];
  readonly headless: readonly HeadlessNames[];
  readonly traits: ProxyTraits;
};

const DNS_PORT = 15_053;
/** Addresses of the mesh seldom move; a client that keeps one longer than this is one that ignores the time. */
const ANSWER_TTL_MILLIS = 30_000;
/**
 * Envoy answers NXDOMAIN when its own lookup takes longer, which clients believe; when it says nothing they ask again. So it
 * outwaits them: most give up after 5 to 10 seconds.
 */
const RESOLVER_TIMEOUT_MILLIS = 15_000;
const MAX_PENDING_LOOKUPS = 4096;

/**
 * The names of the mesh, answered by Envoy's UDP DNS filter for a workload whose DNS queries are captured. Names it does not have
 * are looked up at the servers of the pod's own resolv.conf.
 */
export function buildDnsListener({ services, headless, traits }: DnsListenerInputs): Built<ListenerType> | undefined {
  if (!traits.dnsCapture) return undefined;
  const table = buildNameTable({ services, headless, dnsDomain: traits.dnsDomain });
  const message: Listener = {
    name: 'dns',
    // Queries are redirected from inside the pod, and nobody else has any business here.
    address: { socketAddress: { protocol: SocketAddress_Protocol.UDP, address: '127.0.0.1', portValue: DNS_PORT } },
    trafficDirection: TrafficDirection.OUTBOUND,
    udpListenerConfig: {},
    listenerFilters: [buildDnsFilter(table)],
  };
  return { type: 'envoy.config.listener.v3.Listener', name: 'dns', message, needs: [], origins: [] };
}

function buildDnsFilter(table: readonly NameEntry[]): ListenerFilter {
  return extension('envoy.filters.udp.dns_filter', 'envoy.extensions.filters.udp.dns_filter.v3.DnsFilterConfig', {
    statPrefix: 'dns',
    clientConfig: {
      resolverTimeout: duration(RESOLVER_TIMEOUT_MILLIS),
      maxPendingLookups: MAX_PENDING_LOOKUPS,
      typedDnsResolverConfig: extension(
        'envoy.network.dns_resolver.cares',
        'envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig',
        // A lost packet is asked again before the client itself gives up, and a socket is not kept so long that a server behind
        // a virtual address could move away from it.
        {
          queryTimeoutSeconds: uint64(2),
          queryTries: uint32(4),
          udpMaxQueries: uint32(100),
          reinitChannelOnTimeout: true,
        },
      ),
    },
    serverConfig: { inlineDnsTable: { virtualDomains: table.map(buildDomain) } },
  });
}

const answerTtl = duration(ANSWER_TTL_MILLIS);
const mappedOnce = memoByIdentity(withMapped);

function buildDomain({ name, addresses }: NameEntry): DnsTable_DnsVirtualDomain {
  return {
    name,
    endpoint: { addressList: { address: mappedOnce(addresses) } },
    answerTtl,
  };
}

/**
 * Where a name has no IPv6 address, Envoy answers a query for one with NXDOMAIN, and musl (Alpine) then gives up on the name
 * altogether. An IPv4 address in IPv6 clothes is an answer every client can use: the kernel connects to it over IPv4.
 */
function withMapped(addresses: readonly string[]): readonly string[] {
  if (addresses.some(isIpv6)) return addresses;
  return [...addresses, ...addresses.filter(isIpv4).map((address) => `::ffff:${address}`)];
}
