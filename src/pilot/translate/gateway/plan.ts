import type { GatewayServer } from '../../../apis/networking/networking.ts';
import type { ConfigObject } from '../../../model/object.ts';
import { refOf } from '../../../model/object.ts';
import type { ServiceTarget } from '../../../model/service.ts';
import { serverNamesOf } from '../listener/chain.ts';
import { diagnoseListener, type ListenerCode } from '../listener/codes.ts';
import { WILDCARD_ADDRESS } from '../listener/outbound-plan.ts';
import type { GatewayServerPlan } from '../plan.ts';
import { GatewayDraft, type PortSite, type ServerDraft } from './gateway-draft.ts';
import type { GatewayPlan, GatewayPlanInputs } from './gateway-plan.ts';
import { serverFormOf } from './server-kind.ts';

/** Which sockets a gateway has and which servers share each; whoever loses a port or a host is told on its own Gateway. */
export function planGateway({ gateways, targets }: GatewayPlanInputs): GatewayPlan {
  const draft = new GatewayDraft();
  for (const gateway of gateways) {
    gateway.spec.servers.forEach((server, index) => {
      planServer(draft, targets, { gateway, index, server, hosts: hostsOf(gateway, server) });
    });
  }
  return draft.finish();
}

function planServer(draft: GatewayDraft, targets: readonly ServiceTarget[], plan: GatewayServerPlan): void {
  const form = serverFormOf(plan.server);
  if (!form.ok) {
    tell(draft, plan, 'XEB2403', form.error);
    return;
  }
  const { port, kind } = form.value;
  const hosts = kind === 'http' || kind === 'tcp' ? plan.hosts : serverNames(draft, plan);
  if (hosts.length === 0) return;
  const ports = listenPorts(port, targets);
  if (ports === undefined) {
    tell(draft, plan, 'IST0104', `no Service of the gateway workload has port ${port}, so nobody outside can reach it`);
  }
  const bind = plan.server.bind ?? '';
  for (const listenPort of ports ?? [port]) {
    const site: PortSite = { address: bind === '' ? WILDCARD_ADDRESS : bind, port: listenPort, bind };
    const server: ServerDraft = { plan: hosts.length === plan.hosts.length ? plan : { ...plan, hosts }, ...form.value };
    draft.add(site, server);
  }
}

/** The hosts that can be told by the server name of TLS. */
function serverNames(draft: GatewayDraft, plan: GatewayServerPlan): GatewayServerPlan['hosts'] {
  const { unusable } = serverNamesOf(plan.hosts.map(({ host }) => host));
  if (unusable.length === 0) return plan.hosts;
  tell(
    draft,
    plan,
    'XEB2303',
    `${unusable.join(', ')} is no server name or *. and a suffix, so no connection matches it`,
  );
  return plan.hosts.filter(({ host }) => !unusable.includes(host));
}

/** Undefined where Services lead to the workload, but none by this port. */
function listenPorts(port: number, targets: readonly ServiceTarget[]): readonly number[] | undefined {
  const mapped = targets.filter((target) => target.port.port === port).map(({ targetPort }) => targetPort);
  if (mapped.length > 0) return [...new Set(mapped)].sort((a, b) => a - b);
  const isReachable = targets.length === 0 || targets.some(({ targetPort }) => targetPort === port);
  return isReachable ? [port] : undefined;
}

/** `shop/api.example.com`, `./api.example.com` (the Gateway's own namespace), `*` before the slash or no namespace (any). */
function hostsOf(gateway: ConfigObject<'Gateway'>, server: GatewayServer): GatewayServerPlan['hosts'] {
  return server.hosts.map((entry) => {
    const slash = entry.indexOf('/');
    const namespace = slash < 0 ? '*' : entry.slice(0, slash);
    const host = entry.slice(slash + 1).toLowerCase();
    if (namespace === '*') return { namespace: undefined, host };
    return { namespace: namespace === '.' ? gateway.meta.namespace : namespace, host };
  });
}

function tell(draft: GatewayDraft, { gateway, index }: GatewayServerPlan, code: ListenerCode, message: string): void {
  draft.diagnostics.push(
    diagnoseListener('warning', code, { object: refOf(gateway), path: `spec.servers[${index}]` }, message),
  );
}
