import type { Reflect } from '../galley/sources/kubernetes/reflect.ts';
import type { Runnable } from '../kit/run-group.ts';
import type { KubeApi, Leadership } from '../kube/api.ts';
import { LeaseElector } from '../kube/elector.ts';
import { ApiEventRecorder } from '../kube/events.ts';
import { Reflector } from '../kube/reflector.ts';
import type { ConfigSnapshot } from '../model/config-snapshot.ts';
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
  return {
    addresses: () => {
      const byPod = new Map<string, string>();
      for (const { meta, spec } of snapshot()?.objects.EndpointSlice ?? []) {
        if (meta.namespace !== namespace || spec.serviceName !== service) continue;
        const port = spec.ports.find(({ name }) => name === MONITORING_PORT)?.port;
        for (const { ready, targetRef, addresses } of spec.endpoints) {
          const [address] = addresses;
          if (!ready || port === undefined || address === undefined || targetRef?.name === replica) continue;
          byPod.set(targetRef?.name ?? address, address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`);
        }
      }
      return [...byPod.values()];
    },
  };
}
