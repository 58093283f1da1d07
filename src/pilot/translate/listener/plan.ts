import { isCidr, isUnixAddress } from '../../../apis/address.ts';
import { parseProtocol } from '../../../apis/protocol.ts';
import { memoByIdentity } from '../../../kit/memo.ts';
import type { MeshVirtualService } from '../../../model/mesh-snapshot.ts';
import { isHttp, namesOf, type Protocol, type Service } from '../../../model/service.ts';
import type { DialledPods, ServiceAtPort } from '../plan.ts';
import { destinationHosts, groupByName } from '../route/destination.ts';
import { diagnoseListener } from './codes.ts';
import { portPlace } from './origins.ts';
import { type ListenerSite, OutboundDraft, type RouteDraft, siteOf } from './outbound-draft.ts';
import {
  type HeadlessPort,
  type L4Member,
  type OutboundEgress,
  type OutboundPlan,
  type OutboundPlanInputs,
  WILDCARD_ADDRESS,
} from './outbound-plan.ts';
import { listenProtocol, ownPorts } from './ports.ts';
import { VirtualServiceIndex } from './virtual-service-index.ts';

/** Which outbound listeners a sidecar has, and what each of their routes must hold. */
export function planOutbound(inputs: OutboundPlanInputs): OutboundPlan {
  const draft = new OutboundDraft(inputs.egress.flatMap(({ virtualServices }) => virtualServices));
  const headless = new Map(inputs.headless.map((entry) => [headlessKey(entry.service, entry.port), entry]));
  const scopes = inputs.egress.map((egress) => readScope(egress, inputs, headless));
  for (const scope of scopes) {
    if (scope.egress.listener?.spec.port === undefined) planOpen(draft, scope);
    else planFixed(draft, scope);
  }
  planHttpProxy(draft, scopes, inputs);
  return draft.finish();
}

type Scope = {
  readonly egress: OutboundEgress;
  readonly bindToPort: boolean;
  /** The address all its listeners share; undefined where each service's own address is used. */
  readonly bind: string | undefined;
  readonly dnsCapture: boolean;
  readonly headless: ReadonlyMap<string, HeadlessPort>;
  readonly http: readonly MeshVirtualService[];
  readonly httpIndex: VirtualServiceIndex;
  readonly l4Index: VirtualServiceIndex;
  readonly membersByHost: ReadonlyMap<string, readonly ServiceAtPort[]>;
};

function readScope(
  egress: OutboundEgress,
  { traits }: OutboundPlanInputs,
  headless: ReadonlyMap<string, HeadlessPort>,
): Scope {
  const bind = egress.listener?.spec.bind;
  const bindToPort =
    traits.interception === 'NONE' ||
    egress.listener?.spec.captureMode === 'NONE' ||
    (bind !== undefined && isUnixAddress(bind));
  const http = egress.virtualServices.filter((virtualService) => virtualService.http.length > 0);
  const l4 = egress.virtualServices.filter(({ tls, tcp }) => tls.length + tcp.length > 0);
  return {
    egress,
    bindToPort,
    bind: bind === undefined || bind === '' ? (bindToPort ? '127.0.0.1' : undefined) : bind,
    dnsCapture: traits.dnsCapture,
    headless,
    http,
    httpIndex: new VirtualServiceIndex(http),
    l4Index: new VirtualServiceIndex(l4),
    membersByHost: groupByName(egress.members),
  };
}

/** The rest: every service on its own ports. Ports that a listener before took stay as they are. */
function planOpen(draft: OutboundDraft, scope: Scope): void {
  const usable = scope.egress.members.filter((at) => canListen(draft, scope, at));
  const isTaken = (port: number): boolean => draft.hasRoute(String(port));
  const taken = new Set(usable.map(({ port }) => port.port).filter(isTaken));
  const open = usable.filter(({ port }) => !(taken.has(port.port) && isHttp(port.protocol)));
  for (const at of open) planMember(draft, scope, at);
  const orphans = findOrphans(scope);
  for (const at of open.filter(isRequestable)) {
    const { port } = at.port;
    if (taken.has(port) || !isTaken(port)) continue;
    const route = draft.route(String(port), port);
    addToRoute(route, scope, [at]);
    route.dialled.push(...dialledPods(scope, at));
  }
  if (isTaken(80) && !taken.has(80)) for (const orphan of orphans) draft.route('80', 80).virtualServices.add(orphan);
}

/** The pods behind an HTTP port of a headless service, where they can be dialled. What is sniffed listens at their addresses. */
function dialledPods(scope: Scope, at: ServiceAtPort): readonly DialledPods[] {
  if (scope.bind !== undefined || !isHttp(at.port.protocol)) return [];
  const addresses = scope.headless.get(headlessKey(at.service.key, at.port.port))?.addresses ?? [];
  return addresses.length === 0 ? [] : [{ at, addresses }];
}

/** A request names its host itself, so it may be for a service that other listeners sniff. */
function isRequestable({ port }: ServiceAtPort): boolean {
  return isHttp(port.protocol) || listenProtocol(port) === 'auto';
}

function siteIn(scope: Scope, address: string, port: number): ListenerSite {
  return { ...siteOf(address, port, scope.egress.listener), bindToPort: scope.bindToPort };
}

function canListen(draft: OutboundDraft, scope: Scope, at: ServiceAtPort): boolean {
  if (at.port.protocol === 'UDP') return false;
  if (!scope.bindToPort || !ownPorts.includes(at.port.port)) return true;
  const message = `port ${at.port.port} belongs to the proxy itself, so it cannot listen there for this service`;
  draft.diagnostics.push(diagnoseListener('warning', 'XEB2301', portPlace(at), message));
  return false;
}

function planMember(draft: OutboundDraft, scope: Scope, at: ServiceAtPort): void {
  const { port } = at.port;
  if (isHttp(at.port.protocol)) {
    const site = siteIn(scope, scope.bind ?? WILDCARD_ADDRESS, port);
    draft.addHttp(site, String(port), at);
    draft.route(String(port), port);
    return;
  }
  const isSniffed = listenProtocol(at.port) === 'auto';
  for (const place of placesOf(scope, at)) planPlace(draft, { scope, at, place, isSniffed });
}

type PlaceInputs = {
  readonly scope: Scope;
  readonly at: ServiceAtPort;
  readonly place: DialledAt;
  readonly isSniffed: boolean;
};

function planPlace(draft: OutboundDraft, { scope, at, place, isSniffed }: PlaceInputs): void {
  const { port } = at.port;
  const site = siteIn(scope, place.address, port);
  const sniffed = isSniffed ? planSniffed(draft, { scope, at, place, isSniffed }, site) : undefined;
  draft.addL4(site, { at, subnets: place.subnets, bySni: false, sniffed, ...rulesFor(scope, at) });
}

/** On an address of its own a service has a route of its own; elsewhere it shares the port's. */
function planSniffed(draft: OutboundDraft, { scope, at, place }: PlaceInputs, site: ListenerSite): string | undefined {
  const { port } = at.port;
  if (place.isOwn) {
    const name = `${at.service.hostname}:${port}`;
    addToRoute(draft.route(name, port, true), scope, [at]);
    return name;
  }
  draft.route(String(port), port);
  if (place.subnets.length > 0) return String(port);
  draft.addHttp(site, String(port), at);
  return undefined;
}

const unruled: Pick<L4Member, 'virtualServices' | 'destinations'> = { virtualServices: [], destinations: [] };

/** The rules for a service's connections, and the services these may send them to. */
function rulesFor(scope: Scope, at: ServiceAtPort): Pick<L4Member, 'virtualServices' | 'destinations'> {
  const virtualServices = scope.l4Index.get(at.service.hostname);
  if (virtualServices.length === 0) return unruled;
  const hosts = new Set(virtualServices.flatMap(destinationHosts));
  return { virtualServices, destinations: [...hosts].flatMap((host) => scope.membersByHost.get(host) ?? []) };
}

type DialledAt = { readonly address: string; readonly isOwn: boolean; readonly subnets: readonly string[] };

function placesOf(scope: Scope, { service, port }: ServiceAtPort): readonly DialledAt[] {
  if (scope.bind !== undefined) return [{ address: scope.bind, isOwn: false, subnets: [] }];
  if (service.headless) {
    const pods = scope.headless.get(headlessKey(service.key, port.port))?.addresses ?? [];
    return pods.map((address) => ({ address, isOwn: true, subnets: [] }));
  }
  if (service.addresses.length > 0) return addressPlaces(service);
  return scope.dnsCapture && service.autoAddresses.length > 0 ? automaticPlaces(service) : anywhere;
}

const anywhere: readonly DialledAt[] = [{ address: WILDCARD_ADDRESS, isOwn: false, subnets: [] }];
const addressPlaces = memoByIdentity(({ addresses }: Service) => splitAddresses(addresses));
const automaticPlaces = memoByIdentity(({ autoAddresses }: Service) => splitAddresses(autoAddresses));

/** Single addresses are listened on; blocks are matched on the wildcard. */
function splitAddresses(addresses: readonly string[]): readonly DialledAt[] {
  const subnets = addresses.filter(isCidr);
  const own = addresses.filter((address) => !isCidr(address)).map((address) => ({ address, isOwn: true, subnets: [] }));
  return subnets.length === 0 ? own : [...own, { address: WILDCARD_ADDRESS, isOwn: false, subnets }];
}

/** An egress listener with a port of its own carries what it imports: the same port of a service if it has it, else all its ports. */
function planFixed(draft: OutboundDraft, scope: Scope): void {
  const number = fixedPort(scope);
  const protocol: Protocol = parseProtocol(scope.egress.listener?.spec.port?.protocol) ?? 'HTTP';
  const members = scope.egress.members.filter((at) => at.port.protocol !== 'UDP' && servesFixed(at, number));
  if (isHttp(protocol)) planFixedHttp(draft, scope, members.filter(isRequestable));
  else for (const at of members) planFixedL4(draft, scope, at);
}

/** Not tied to one port of its services, it has a route of its own: by its number, or by the path of its socket. */
function planFixedHttp(draft: OutboundDraft, scope: Scope, members: readonly ServiceAtPort[]): void {
  const number = fixedPort(scope);
  const isUnix = number === 0 && scope.bind !== undefined;
  const name = isUnix ? scope.bind : String(number);
  const route = draft.route(name, isUnix ? undefined : number);
  const site = siteIn(scope, scope.bind ?? WILDCARD_ADDRESS, number);
  draft.addHttpListener(site, name);
  for (const at of members) {
    draft.addHttp(site, name, at);
    route.members.add(at);
  }
  for (const virtualService of scope.http) route.virtualServices.add(virtualService);
}

function fixedPort({ egress }: Scope): number {
  return egress.listener?.spec.port?.number ?? 0;
}

function planFixedL4(draft: OutboundDraft, scope: Scope, at: ServiceAtPort): void {
  const number = fixedPort(scope);
  for (const { address, subnets } of placesOf(scope, at)) {
    const site = siteIn(scope, address, number);
    draft.addL4(site, { at, subnets, bySni: false, sniffed: undefined, ...rulesFor(scope, at) });
  }
}

function servesFixed({ service, port }: ServiceAtPort, number: number): boolean {
  return port.port === number || !service.ports.some((other) => other.port === number);
}

/** A proxy that applications are told of (`http_proxy=127.0.0.1:15002`): it needs no interception, so it is there without any. */
function planHttpProxy(draft: OutboundDraft, scopes: readonly Scope[], inputs: OutboundPlanInputs): void {
  const port = inputs.httpProxyPort > 0 ? inputs.httpProxyPort : inputs.traits.interception === 'NONE' ? 15_002 : 0;
  if (port === 0) return;
  draft.addHttpListener({ ...siteOf('127.0.0.1', port), bindToPort: true }, 'http_proxy');
  const route = draft.route('http_proxy', undefined);
  for (const scope of scopes) {
    for (const at of scope.egress.members) {
      if (isRequestable(at)) route.members.add(at);
    }
    for (const virtualService of scope.http) route.virtualServices.add(virtualService);
  }
}

/** Adds members with the virtual services for their hosts. */
function addToRoute(route: RouteDraft, scope: Scope, members: readonly ServiceAtPort[]): void {
  for (const at of members) {
    route.members.add(at);
    for (const name of namesOf(at.service)) {
      for (const virtualService of scope.httpIndex.get(name)) route.virtualServices.add(virtualService);
    }
  }
}

/** Virtual services for hosts that no service has: their requests go to port 80. */
function findOrphans(scope: Scope): readonly MeshVirtualService[] {
  const claimed = new Set<MeshVirtualService>();
  for (const host of scope.membersByHost.keys()) {
    for (const virtualService of scope.httpIndex.get(host)) claimed.add(virtualService);
  }
  return scope.http.filter((virtualService) => !claimed.has(virtualService));
}

function headlessKey(service: string, port: number): string {
  return `${service}:${port}`;
}
