import type { ConnectionPool, IngressListener } from '../../apis/networking/networking.ts';
import { KeyedMemo, keepIfSame, latest } from '../../kit/memo.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { Traced } from '../../model/mesh-snapshot.ts';
import type { Service, ServicePort, ServiceTarget } from '../../model/service.ts';
import type { EncodedResource } from '../../xds/resource.ts';
import type { ClusterDefaults } from '../translate/cluster/defaults.ts';
import { buildInboundCluster, type InboundClusterInputs } from '../translate/cluster/inbound.ts';
import type { ListenerSettings } from '../translate/filters/settings.ts';
import { type InboundPort, type InboundSocket, planInbound } from '../translate/listener/inbound-plan.ts';
import { keepEqual } from '../translate/listener/keep-equal.ts';
import {
  type BuiltInbound,
  buildInboundSocket,
  buildVirtualInbound,
  type InboundSocketInputs,
  type VirtualInboundInputs,
} from '../translate/listener/virtual-inbound.ts';
import type { ProxyTraits, ServiceAtPort } from '../translate/plan.ts';
import type { WorkloadSecurity } from '../translate/security.ts';
import { encodeBuilt } from './encode.ts';
import { IdentityMemo } from './identity-memo.ts';
import { keepLists } from './keep-lists.ts';
import { memberOf, type Rules } from './members.ts';

export type InboundInputs = {
  /** As `canonicalTargets` gives them. */
  readonly targets: readonly ServiceTarget[];
  readonly ingress: readonly Traced<IngressListener>[];
  readonly connectionPool: Traced<ConnectionPool> | undefined;
  readonly rules: Rules;
  readonly traits: ProxyTraits;
  readonly security: WorkloadSecurity;
  readonly settings: ListenerSettings;
  readonly defaults: ClusterDefaults;
};

export type Inbound = {
  readonly clusters: readonly EncodedResource[];
  readonly listeners: readonly EncodedResource[];
  readonly diagnostics: readonly Diagnostic[];
};

type Named<T> = T & { readonly name: string };
type KeptPlan = {
  readonly captured: readonly Named<InboundPort>[];
  readonly sockets: readonly Named<InboundSocket>[];
  readonly diagnostics: readonly Diagnostic[];
};

const noPlan: KeptPlan = { captured: [], sockets: [], diagnostics: [] };

/** What leads to the workload itself. Equal workloads share one stage. */
export class InboundStage {
  #plan = noPlan;
  readonly #clusters = new KeyedMemo<number, InboundClusterInputs, EncodedResource>((inputs) =>
    encodeBuilt(buildInboundCluster(inputs)),
  );
  readonly #virtual = latest((inputs: VirtualInboundInputs) => buildVirtualInbound(inputs));
  readonly #sockets = new KeyedMemo<string, InboundSocketInputs, BuiltInbound>(buildInboundSocket);

  readonly get = latest((inputs: InboundInputs, previous: Inbound | undefined): Inbound => {
    this.#replan(inputs);
    const { captured, sockets, diagnostics } = this.#plan;
    const { settings, traits, security } = inputs;
    const virtual = this.#virtual({ captured, settings, traits, security });
    const bound = sockets.map((socket) =>
      this.#sockets.get(`${socket.address} ${socket.port}`, { socket, settings, traits, security }),
    );
    const built = [virtual, ...bound];
    return keepLists(previous, {
      clusters: [...captured, ...sockets].map((port) => this.#cluster(port, inputs)),
      listeners: built.flatMap(({ listener }) => (listener === undefined ? [] : [encodeBuilt(listener)])),
      diagnostics: [...diagnostics, ...built.flatMap((one) => one.diagnostics)],
    });
  });

  #replan({ targets, ingress, traits }: InboundInputs): void {
    const plan = planInbound({ targets, ingress, interception: traits.interception });
    this.#plan = {
      captured: keepEqual(this.#plan.captured, plan.captured.map(named)),
      sockets: keepEqual(this.#plan.sockets, plan.sockets.map(named)),
      diagnostics: plan.diagnostics,
    };
  }

  #cluster(
    { port, protocol }: InboundPort,
    { targets, ingress, connectionPool, rules, defaults }: InboundInputs,
  ): EncodedResource {
    const listener = ingress.find(({ spec }) => spec.port.number === port);
    const target = targets.find(({ targetPort }) => targetPort === port);
    const member: ServiceAtPort | undefined =
      target === undefined ? undefined : memberOf(target.service, target.port, rules.get(target.service.key));
    return this.#clusters.get(port, {
      targetPort: port,
      protocol,
      member,
      ingress: listener,
      connectionPool,
      defaults,
    });
  }
}

function named<T extends { readonly port: number }>(port: T): Named<T> {
  return { ...port, name: String(port.port) };
}

type TargetInputs = { readonly service: Service; readonly port: ServicePort; readonly targetPort: number };

const targetMemo = new IdentityMemo<Service, TargetInputs, ServiceTarget>((inputs) => inputs);

/** Beyond so many the old ones are forgotten, which costs building them again. */
const LIMIT = 10_000;

/** Replicas serve the same with records of their own: this finds what their records have in common. */
export class CanonicalTargets {
  readonly #known = new Map<string, readonly ServiceTarget[]>();

  get(targets: readonly ServiceTarget[]): { readonly key: string; readonly targets: readonly ServiceTarget[] } {
    const shared = targets.map(({ service, port, targetPort }) =>
      targetMemo.get(service, `${port.port} ${targetPort}`, { service, port, targetPort }),
    );
    const key = shared.map(({ service, port, targetPort }) => `${service.key} ${port.port} ${targetPort}`).join('|');
    const kept = keepIfSame(this.#known.get(key), shared);
    if (this.#known.size >= LIMIT) this.#known.clear();
    this.#known.set(key, kept);
    return { key, targets: kept };
  }
}
