import ipaddr from 'ipaddr.js';
import type { MeshNetworks } from '../../apis/mesh/mesh-networks.ts';

const NETWORK_LABEL = 'topology.istio.io/network';

export type NetworkInputs = {
  readonly networks: MeshNetworks;
  /** The root namespace's label, which names the network of this Kubernetes cluster. */
  readonly ownNetwork: string;
  readonly clusterId: string;
};

/** Who asks: a pod of this Kubernetes cluster, or an endpoint somebody wrote down. */
export type NetworkQuery = {
  readonly address: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly inCluster: boolean;
};

export type FindNetwork = (query: NetworkQuery) => string;

type Range = { readonly network: string; readonly base: ipaddr.IPv4 | ipaddr.IPv6; readonly bits: number };

/** The network of an endpoint: its own label, then its Kubernetes cluster's, then the narrowest CIDR of the mesh networks. */
export function buildFindNetwork({ networks, ownNetwork, clusterId }: NetworkInputs): FindNetwork {
  const ranges = buildRanges(networks);
  const ofRegistry = networkOfRegistry(networks, clusterId);
  return ({ address, labels, inCluster }) => {
    const label = labels[NETWORK_LABEL];
    if (label !== undefined && label !== '') return label;
    if (inCluster && ownNetwork !== '') return ownNetwork;
    return networkOfAddress(ranges, address) ?? (inCluster ? ofRegistry : '');
  };
}

export function networkLabel(labels: Readonly<Record<string, string>>): string {
  return labels[NETWORK_LABEL] ?? '';
}

function buildRanges({ networks = {} }: MeshNetworks): readonly Range[] {
  const ranges = Object.entries(networks).flatMap(([network, { endpoints = [] }]) =>
    endpoints.flatMap(({ fromCidr }): Range[] => {
      if (fromCidr === undefined || !ipaddr.isValidCIDR(fromCidr)) return [];
      const [base, bits] = ipaddr.parseCIDR(fromCidr);
      return [{ network, base, bits }];
    }),
  );
  return ranges.sort((a, b) => b.bits - a.bits);
}

function networkOfAddress(ranges: readonly Range[], address: string): string | undefined {
  if (ranges.length === 0 || !ipaddr.isValid(address)) return undefined;
  const ip = ipaddr.parse(address);
  return ranges.find(({ base, bits }) => base.kind() === ip.kind() && ip.match(base, bits))?.network;
}

function networkOfRegistry({ networks = {} }: MeshNetworks, clusterId: string): string {
  const found = Object.entries(networks).find(([, { endpoints = [] }]) =>
    endpoints.some(({ fromRegistry }) => fromRegistry === clusterId),
  );
  return found?.[0] ?? '';
}
