import type { EndpointSliceSpec } from '../apis/kubernetes/endpoints.ts';
import type { Runnable } from '../kit/run-group.ts';
import type { KubeApi, Leadership } from '../kube/api.ts';
import { LeaseElector } from '../kube/elector.ts';
import { ApiEventRecorder } from '../kube/events.ts';
import type { Reflect } from '../kube/reflection.ts';
import { Reflector } from '../kube/reflector.ts';
import type { ConfigSnapshot } from '../model/config-snapshot.ts';
import type { ConfigObject } from '../model/object.ts';
import type { AssembleInputs } from './assemble.ts';
import type { Peers } from './status/mesh-distribution.ts';

/** What a process has because it lives in, or beside, a Kubernetes cluster. */
export type Cluster = {
  readonly api: KubeApi;
  readonly reflect: Reflect;
  readonly leadership: Leadership;
  readonly events: ApiEventRecorder;
  /** To be run as long as the process. */
  readonly parts: readonly Runnable[];
};

/** The name of the port on which replicas ask each other, as the Service has it. */
const MONITORING_PORT = 'http-monitoring';

export function makeCluster({ config, kube: api, clock, random, log, metrics }: AssembleInputs): Cluster | undefined {
  if (api === undefined) return undefined;
  const { namespace, service } = config;
  // Two processes of one name would both believe that they lead.
  const identity = config.replica ?? `xebec-${random().toString(36).slice(2)}`;
  const elector = new LeaseElector(
    { api, clock, random, log, metrics },
    { lease: { namespace, name: `${service}-leader` }, identity },
  );
  const events = new ApiEventRecorder(
    { api, clock, log, metrics },
    { controller: 'xebec.dev/xebec', instance: identity },
  );
  const reflect: Reflect = (reflection) => new Reflector({ api, clock, random, log, metrics }, reflection);
  return { api, reflect, leadership: elector, events, parts: [elector, events] };
}

/** The other replicas: who else stands behind the Service. A pod with two addresses is asked at one. */
export function peersOf({ config }: AssembleInputs, snapshot: () => ConfigSnapshot | undefined): Peers {
  const { namespace, service, replica } = config;
  const isOurs = ({ meta, spec }: ConfigObject<'EndpointSlice'>): boolean =>
    meta.namespace === namespace && spec.serviceName === service;
  return {
    addresses: () => {
      const slices = snapshot()?.objects.EndpointSlice.filter(isOurs) ?? [];
      const byPod = new Map(slices.flatMap(({ spec }) => podsIn(spec)));
      if (replica !== undefined) byPod.delete(replica);
      return [...byPod.values()];
    },
  };
}

/** The monitoring address of each pod that is ready. */
function podsIn({ endpoints, ports }: EndpointSliceSpec): readonly (readonly [pod: string, address: string])[] {
  const port = ports.find(({ name }) => name === MONITORING_PORT)?.port;
  if (port === undefined) return [];
  return endpoints.flatMap(({ ready, targetRef, addresses: [host] }) => {
    if (!ready || host === undefined) return [];
    const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    return [[targetRef?.name ?? host, address] as const];
  });
}
