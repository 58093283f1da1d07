import { memoByIdentity } from '../../kit/memo.ts';
import type { ConfigObject } from '../../model/object.ts';
import type { PodIndex } from './pod-index.ts';

type Listing = ConfigObject<'EndpointSlice'> | ConfigObject<'Endpoints'>;
type Place = ConfigObject<'Node'> | undefined;

/** One address behind a service. Equal ones of two moments are the same object while nothing they are made of changed. */
export type Backend = {
  readonly address: string;
  /** Numbers by the names of the ports. */
  readonly ports: Readonly<Record<string, number>>;
  readonly ready: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** `region/zone`. */
  readonly locality: string | undefined;
  /** `ns/<namespace>/sa/<name>` of the pod. */
  readonly serviceAccount: string | undefined;
};

type Listed = Pick<Backend, 'address' | 'ports' | 'ready'> & {
  readonly target: { readonly kind: string; readonly namespace: string; readonly name: string } | undefined;
  readonly node: string | undefined;
};

export type Places = { readonly pods: PodIndex; readonly nodes: ReadonlyMap<string, ConfigObject<'Node'>> };

const REGIONS = ['topology.kubernetes.io/region', 'failure-domain.beta.kubernetes.io/region'];
const ZONES = ['topology.kubernetes.io/zone', 'failure-domain.beta.kubernetes.io/zone'];

/** What a service's lists of endpoints say, with the pods and nodes behind the addresses. */
export function backendsOf(listings: readonly Listing[], { pods, nodes }: Places): readonly Backend[] {
  return listings.flatMap((listing) =>
    listed(listing).map((item) => {
      const pod = pods.find(item.address, item.target, listing.meta.namespace);
      const node = nodes.get(pod?.spec.nodeName || item.node || '');
      return backendFor(item)(pod)(node);
    }),
  );
}

const NOTHING = {};

/** One memo in the other: an entry lives as long as the listing, the pod and the node that it is made of. */
const backendFor = memoByIdentity((item: Listed) => {
  const byPod = memoByIdentity((pod: ConfigObject<'Pod'> | object) =>
    byPlace((node) => backend(item, 'spec' in pod ? pod : undefined, node)),
  );
  return (pod: ConfigObject<'Pod'> | undefined) => byPod(pod ?? NOTHING);
});

function byPlace(build: (node: Place) => Backend): (node: Place) => Backend {
  const memo = memoByIdentity((node: ConfigObject<'Node'> | object) => build('spec' in node ? node : undefined));
  return (node) => memo(node ?? NOTHING);
}

function backend(item: Listed, pod: ConfigObject<'Pod'> | undefined, node: Place): Backend {
  const { address, ports, ready } = item;
  return {
    address,
    ports,
    ready,
    labels: pod?.meta.labels ?? {},
    locality: node === undefined ? undefined : localityOf(node.meta.labels),
    serviceAccount: pod === undefined ? undefined : `ns/${pod.meta.namespace}/sa/${pod.spec.serviceAccountName}`,
  };
}

function localityOf(labels: Readonly<Record<string, string>>): string | undefined {
  const [region, zone] = [REGIONS, ZONES].map((keys) => keys.map((key) => labels[key]).find((value) => value));
  return region === undefined && zone === undefined ? undefined : `${region ?? ''}/${zone ?? ''}`;
}

const listed = memoByIdentity((listing: Listing): readonly Listed[] =>
  listing.kind === 'EndpointSlice' ? listedInSlice(listing) : listedInEndpoints(listing),
);

function listedInSlice({ spec }: ConfigObject<'EndpointSlice'>): readonly Listed[] {
  const ports = portsOf(spec.ports);
  return spec.endpoints.flatMap(({ addresses, ready, targetRef, nodeName }) =>
    addresses.slice(0, 1).map((address) => ({ address, ports, ready, target: targetRef, node: nodeName })),
  );
}

function listedInEndpoints({ spec }: ConfigObject<'Endpoints'>): readonly Listed[] {
  return spec.subsets.flatMap(({ addresses, notReadyAddresses, ports: listedPorts }) => {
    const ports = portsOf(listedPorts);
    const all = [...addresses.map((each) => ({ ...each, ready: true })), ...notReadyAddresses.map(notReady)];
    return all.map(({ ip, ready, targetRef, nodeName }) => ({
      address: ip,
      ports,
      ready,
      target: targetRef,
      node: nodeName,
    }));
  });
}

function notReady<T extends object>(address: T): T & { readonly ready: boolean } {
  return { ...address, ready: false };
}

function portsOf(
  ports: readonly { readonly name: string; readonly port?: number | undefined }[],
): Readonly<Record<string, number>> {
  return Object.fromEntries(ports.flatMap(({ name, port }) => (port === undefined ? [] : [[name, port] as const])));
}
