import { hostMatches } from '../../apis/host.ts';
import type { GatewayServer } from '../../apis/networking/networking.ts';
import { isHttpProtocol, parseProtocol } from '../../apis/protocol.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { type ConfigObject, refOf, renderRef } from '../../model/object.ts';
import { type Analyzer, about } from './analyzer.ts';

type Claim = { readonly object: ConfigObject<'Gateway'>; readonly server: GatewayServer; readonly index: number };

/** Gateways of the same proxies want the same port for different protocols, or the same host on it. */
export const conflictingGateways: Analyzer = {
  name: 'conflicting-gateways',
  run: ({ snapshot: { objects } }) => {
    const claims = objects.Gateway.flatMap((object) =>
      object.spec.servers.map((server, index) => ({ object, server, index })),
    );
    return [...Map.groupBy(claims, placeOf).values()].flatMap((sharing) =>
      sharing.flatMap((claim, position) => conflictsOf(claim, sharing.slice(0, position))),
    );
  },
};

/** The proxies and the port. */
function placeOf({ object, server }: Claim): string {
  const selector = Object.entries(object.spec.selector ?? {})
    .map((entry) => entry.join('='))
    .sort();
  return JSON.stringify([selector, server.port.number, server.bind ?? '']);
}

/** What a server has against those that were there before it. */
function conflictsOf(claim: Claim, earlier: readonly Claim[]): readonly Diagnostic[] {
  const { object, server, index } = claim;
  const other = earlier.find((candidate) => classOf(candidate.server) !== classOf(server));
  if (other !== undefined) {
    const message = `port ${server.port.number} is ${classOf(other.server)} in ${nameOf(other)} and ${classOf(server)} here: use another port`;
    return [about(object, { code: 'XEB1103', level: 'error', path: ['spec', 'servers', index, 'port'], message })];
  }
  const rivals = earlier.filter((candidate) => candidate.object !== object);
  return server.hosts.flatMap((host, hostIndex) => {
    const rival = rivals.find((candidate) =>
      candidate.server.hosts.some((theirs) => isSameHost(host, theirs, candidate, claim)),
    );
    if (rival === undefined) return [];
    const message = `host ${host} on port ${server.port.number} belongs to ${nameOf(rival)} too, and the older one is used: remove it from one of them`;
    const path = ['spec', 'servers', index, 'hosts', hostIndex];
    return [about(object, { code: 'IST0145', level: 'error', path, message })];
  });
}

/** Servers of one class share a port. */
function classOf(server: GatewayServer): string {
  const protocol = parseProtocol(server.port.protocol);
  if (isHttpProtocol(protocol)) return 'plain HTTP';
  return protocol === 'HTTPS' || protocol === 'TLS' ? 'TLS' : 'TCP';
}

function isSameHost(ours: string, theirs: string, { object: them }: Claim, { object: us }: Claim): boolean {
  const [ourScope, ourName] = splitHost(ours, us);
  const [theirScope, theirName] = splitHost(theirs, them);
  const isSameScope = ourScope === '*' || theirScope === '*' || ourScope === theirScope;
  // A wildcard beside an exact host is no conflict: the more specific one is used.
  return isSameScope && ourName === theirName && hostMatches(ourName, theirName);
}

function splitHost(host: string, { meta }: ConfigObject): readonly [string, string] {
  const slash = host.indexOf('/');
  const scope = slash < 0 ? '*' : host.slice(0, slash);
  return [scope === '.' ? meta.namespace : scope, host.slice(slash + 1).toLowerCase()];
}

function nameOf({ object }: Claim): string {
  return renderRef(refOf(object));
}
