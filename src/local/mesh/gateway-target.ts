import type { NetConnectOpts } from 'node:net';
import { type PodState, resolveTargetPort, type ServiceInput, selects } from '../plan/objects.ts';

export type GatewayInputs = { readonly services: readonly ServiceInput[]; readonly pods: readonly PodState[] };

/** The ready gateway pods behind a port of their Service, with the port they listen on. */
export function findGatewayTargets({ services, pods }: GatewayInputs, servicePort: number): readonly NetConnectOpts[] {
  const gateways = pods.filter(({ plan, ready, terminating }) => plan.kind === 'router' && ready && !terminating);
  return services.flatMap((service) => {
    const port = service.spec.ports.find((candidate) => candidate.port === servicePort);
    if (port === undefined) return [];
    return gateways
      .filter(({ plan }) => selects(service, plan))
      .flatMap(({ plan, address }) => {
        const target = resolveTargetPort(port.targetPort, plan);
        return target === undefined ? [] : [{ host: address, port: target }];
      });
  });
}

/** Takes them in turn. */
export class GatewayTarget {
  readonly #inputs: () => GatewayInputs;
  readonly #servicePort: number;
  #turn = 0;

  constructor(inputs: { readonly mesh: () => GatewayInputs; readonly servicePort: number }) {
    this.#inputs = inputs.mesh;
    this.#servicePort = inputs.servicePort;
  }

  next(): NetConnectOpts | undefined {
    const targets = findGatewayTargets(this.#inputs(), this.#servicePort);
    this.#turn += 1;
    return targets[this.#turn % Math.max(1, targets.length)];
  }
}
