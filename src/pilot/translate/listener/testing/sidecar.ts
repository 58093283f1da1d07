import type { EgressListener } from '../../../../apis/networking/networking.ts';
import { PASSTHROUGH_CLUSTER } from '../../../../model/ids.ts';
import type { MeshVirtualService } from '../../../../model/mesh-snapshot.ts';
import type { Service } from '../../../../model/service.ts';
import { meshConfig } from '../../../../testing/config.ts';
import { readListenerSettings } from '../../filters/settings.ts';
import type { ProxyTraits, ServiceAtPort } from '../../plan.ts';
import type { WorkloadSecurity } from '../../security.ts';
import { buildOutboundListener } from '../outbound.ts';
import type { HeadlessPort, OutboundEgress, OutboundPlan } from '../outbound-plan.ts';
import { planOutbound } from '../plan.ts';
import { summarize } from './summary.ts';

export const traits: ProxyTraits = {
  kind: 'sidecar',
  namespace: 'default',
  dnsDomain: 'default.svc.cluster.local',
  interception: 'REDIRECT',
  dnsCapture: false,
  http10: false,
  identityFolder: '',
  isProven: false,
  idleTimeout: '',
  labels: {},
};

/** A workload that nothing protects. */
export const unprotected: WorkloadSecurity = {
  peer: { mode: 'DISABLE', ports: new Map(), said: new Map() },
  request: { ports: new Map(), rest: { kind: 'none' } },
  access: { policies: [], hasRawPaths: false },
};

export const settings = readListenerSettings(meshConfig());

export function members(...services: readonly Service[]): readonly ServiceAtPort[] {
  return services.flatMap((service) => service.ports.map((port) => ({ service, port, rule: undefined })));
}

type EgressOptions = {
  readonly services?: readonly Service[];
  readonly virtualServices?: readonly MeshVirtualService[];
  /** Without one, the default scope. */
  readonly listener?: EgressListener;
};

export function egress({ services = [], virtualServices = [], listener }: EgressOptions): OutboundEgress {
  const object = { kind: 'Sidecar', namespace: 'default', name: 'default' };
  return {
    listener: listener === undefined ? undefined : { spec: listener, object, path: 'spec.egress[0]' },
    members: members(...services),
    virtualServices,
  };
}

export type SidecarOptions = {
  readonly egress: readonly OutboundEgress[];
  readonly traits?: Partial<ProxyTraits>;
  readonly headless?: readonly HeadlessPort[];
  readonly httpProxyPort?: number;
};

export function plan(options: SidecarOptions): OutboundPlan {
  const { headless = [], httpProxyPort = 0 } = options;
  return planOutbound({ egress: options.egress, headless, httpProxyPort, traits: { ...traits, ...options.traits } });
}

/** Every outbound listener by name, in lines; diagnostics of planning and building together. */
export function outbound(options: SidecarOptions) {
  const { listeners, routes, diagnostics } = plan(options);
  const built = listeners.map((part) =>
    buildOutboundListener({
      plan: part,
      traits: { ...traits, ...options.traits },
      settings,
      fallThrough: PASSTHROUGH_CLUSTER,
    }),
  );
  const resources = built.flatMap((one) => one.resources);
  return {
    chains: Object.fromEntries(resources.map(({ name, message }) => [name, summarize(message)])),
    resources: Object.fromEntries(resources.map((resource) => [resource.name, resource])),
    routes: Object.fromEntries(routes.map((route) => [route.name, route.members.map(({ service }) => service.name)])),
    diagnostics: [...diagnostics, ...built.flatMap((one) => one.diagnostics)],
  };
}
