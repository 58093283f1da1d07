import type { Capture, Cidr, Selection } from './capture.ts';

/** One appended rule. `match` and `target` are whole arguments; nothing in them needs quoting. */
export type IptablesRule = {
  readonly table: 'raw' | 'mangle' | 'nat';
  readonly chain: string;
  readonly args: readonly string[];
};

/** The same capture for both IP families: apply `ipv4` with iptables, `ipv6` with ip6tables. */
export type IptablesRules = { readonly ipv4: readonly IptablesRule[]; readonly ipv6: readonly IptablesRule[] };

/** Whose traffic is Envoy's own, and never captured. */
export type ProxyOwner = { readonly uids: readonly number[]; readonly gids: readonly number[] };

/** Envoy's ports that peers call directly: agent status, health, Prometheus; left alone on the way in. */
const ENVOY_INBOUND_PORTS: readonly number[] = [15090, 15021, 15020];
const OUTBOUND_PORT = '15001';
const INBOUND_PORT = '15006';
const TUNNEL_PORT = '15008';
const DNS_PORT = '15053';

type Family = { readonly version: 4 | 6; readonly loopback: string; readonly passthroughSource: string };

const IPV4: Family = { version: 4, loopback: '127.0.0.1/32', passthroughSource: '127.0.0.6/32' };
const IPV6: Family = { version: 6, loopback: '::1/128', passthroughSource: '::6/128' };

type CaptureForFamily = { readonly capture: Capture; readonly owner: ProxyOwner; readonly family: Family };

export const PROXY_OWNER: ProxyOwner = { uids: [1337], gids: [1337] };

/** The rules that lead a pod's TCP (and, if asked, DNS) through its Envoy; none for mode NONE. */
export function buildCaptureRules(asked: Capture, owner: ProxyOwner = PROXY_OWNER): IptablesRules {
  if (asked.mode === 'NONE') return { ipv4: [], ipv6: [] };
  const capture = asked.excludeOutboundPorts.includes(53) ? { ...asked, dns: false } : asked;
  return {
    ipv4: buildRules({ capture, owner, family: IPV4 }),
    ipv6: buildRules({ capture, owner, family: IPV6 }),
  };
}

/** The text for `iptables-restore --noflush`: tables in use, their own chains, rules in order. */
export function renderRestore(rules: readonly IptablesRule[]): string {
  const lines: string[] = [];
  for (const table of ['raw', 'mangle', 'nat'] as const) {
    const own = rules.filter((rule) => rule.table === table);
    if (own.length === 0) continue;
    lines.push(`*${table}`);
    for (const chain of ownChains(own)) lines.push(`:${chain} - [0:0]`);
    for (const rule of own) lines.push(['-A', rule.chain, ...rule.args].join(' '));
    lines.push('COMMIT');
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

/** Each rule as the arguments of one iptables command, chains first. */
export function buildCommands(rules: readonly IptablesRule[]): readonly (readonly string[])[] {
  const commands: string[][] = [];
  for (const table of ['raw', 'mangle', 'nat'] as const) {
    const own = rules.filter((rule) => rule.table === table);
    for (const chain of ownChains(own)) commands.push(['-t', table, '-N', chain]);
    for (const rule of own) commands.push(['-t', table, '-A', rule.chain, ...rule.args]);
  }
  return commands;
}

function ownChains(rules: readonly IptablesRule[]): readonly string[] {
  return [...new Set(rules.map((rule) => rule.chain))].filter((chain) => chain.startsWith('ISTIO_')).sort();
}

function buildRules(input: CaptureForFamily): readonly IptablesRule[] {
  return [
    ...buildDnsZones(input),
    ...buildExcludedInterfaces(input),
    ...buildVirtualInterfaces(input),
    ...(input.capture.mode === 'TPROXY' ? buildInboundTproxy(input) : buildInboundRedirect(input)),
    ...buildRedirectChains(),
    ...buildOutbound(input),
    ...buildDnsCapture(input),
  ];
}

const nat = (chain: string, ...args: readonly string[]): IptablesRule => ({ table: 'nat', chain, args });
const mangle = (chain: string, ...args: readonly string[]): IptablesRule => ({ table: 'mangle', chain, args });
const raw = (chain: string, ...args: readonly string[]): IptablesRule => ({ table: 'raw', chain, args });
const tcpPort = (port: number | string): readonly string[] => ['-p', 'tcp', '--dport', String(port)];

function buildRedirectChains(): readonly IptablesRule[] {
  return [
    nat('ISTIO_REDIRECT', '-p', 'tcp', '-j', 'REDIRECT', '--to-ports', OUTBOUND_PORT),
    nat('ISTIO_IN_REDIRECT', '-p', 'tcp', '-j', 'REDIRECT', '--to-ports', INBOUND_PORT),
  ];
}

function buildExcludedInterfaces({ capture }: CaptureForFamily): readonly IptablesRule[] {
  const make = capture.mode === 'TPROXY' ? [nat, mangle] : [nat];
  return capture.excludeInterfaces.flatMap((name) =>
    make.flatMap((rule) => [
      rule('PREROUTING', '-i', name, '-j', 'RETURN'),
      rule('OUTPUT', '-o', name, '-j', 'RETURN'),
    ]),
  );
}

/** What comes in from a virtual machine's interface is outbound traffic of the pod. */
function buildVirtualInterfaces({ capture, family }: CaptureForFamily): readonly IptablesRule[] {
  const destinations = matchRanges(capture.includeOutboundRanges, family);
  return capture.virtualInterfaces.flatMap((name) => [
    ...destinations.map((match) => nat('PREROUTING', '-i', name, ...match, '-j', 'ISTIO_REDIRECT')),
    nat('PREROUTING', '-i', name, '-j', 'RETURN'),
  ]);
}

function excludedInbound(capture: Capture): readonly number[] {
  return [...new Set([...ENVOY_INBOUND_PORTS, ...capture.excludeInboundPorts])];
}

function buildInboundRedirect({ capture }: CaptureForFamily): readonly IptablesRule[] {
  const include = capture.includeInboundPorts;
  if (include !== '*' && include.length === 0) return [];
  const redirect = ['-j', 'ISTIO_IN_REDIRECT'];
  const entry = [
    nat('PREROUTING', '-p', 'tcp', '-j', 'ISTIO_INBOUND'),
    nat('ISTIO_INBOUND', ...tcpPort(TUNNEL_PORT), '-j', 'RETURN'),
  ];
  if (include !== '*') return [...entry, ...include.map((port) => nat('ISTIO_INBOUND', ...tcpPort(port), ...redirect))];
  return [
    ...entry,
    ...excludedInbound(capture).map((port) => nat('ISTIO_INBOUND', ...tcpPort(port), '-j', 'RETURN')),
    nat('ISTIO_INBOUND', '-p', 'tcp', ...redirect),
  ];
}

/**
 * Inbound keeps the client's address: packets are marked 1337 and delivered to Envoy by routing table 133
 * (`ip rule add fwmark 1337 lookup 133; ip route add local default dev lo table 133`). Replies to Envoy's own upstream
 * connections carry the client's address too; mark 1338 leads them back to Envoy.
 */
function buildInboundTproxy({ capture, family }: CaptureForFamily): readonly IptablesRule[] {
  const include = capture.includeInboundPorts;
  if (include !== '*' && include.length === 0) return [];
  const known = ['-m', 'conntrack', '--ctstate', 'RELATED,ESTABLISHED', '-j', 'ISTIO_DIVERT'];
  const entry = [
    mangle('ISTIO_DIVERT', '-j', 'MARK', '--set-mark', '1337'),
    mangle('ISTIO_DIVERT', '-j', 'ACCEPT'),
    mangle('ISTIO_TPROXY', '!', '-d', family.loopback, '-p', 'tcp', '-j', 'TPROXY', ...tproxyTarget()),
    mangle('PREROUTING', '-p', 'tcp', '-j', 'ISTIO_INBOUND'),
    mangle('PREROUTING', '-p', 'tcp', '-m', 'mark', '--mark', '1337', '-j', 'CONNMARK', '--save-mark'),
    mangle('OUTPUT', '-p', 'tcp', '-m', 'connmark', '--mark', '1337', '-j', 'CONNMARK', '--restore-mark'),
    mangle('ISTIO_INBOUND', '-p', 'tcp', '-m', 'mark', '--mark', '1337', '-j', 'RETURN'),
    mangle('ISTIO_INBOUND', ...tcpPort(TUNNEL_PORT), '-j', 'RETURN'),
  ];
  if (include !== '*') {
    return [
      ...entry,
      ...include.flatMap((port) => [
        mangle('ISTIO_INBOUND', ...tcpPort(port), ...known),
        mangle('ISTIO_INBOUND', ...tcpPort(port), '-j', 'ISTIO_TPROXY'),
      ]),
    ];
  }
  return [
    ...entry,
    ...excludedInbound(capture).map((port) => mangle('ISTIO_INBOUND', ...tcpPort(port), '-j', 'RETURN')),
    mangle('ISTIO_INBOUND', '-p', 'tcp', ...known),
    mangle('ISTIO_INBOUND', '-p', 'tcp', '-j', 'ISTIO_TPROXY'),
  ];
}

function tproxyTarget(): readonly string[] {
  return ['--on-port', INBOUND_PORT, '--tproxy-mark', '1337/0xffffffff'];
}

function buildOutbound({ capture, owner, family }: CaptureForFamily): readonly IptablesRule[] {
  const output = (...args: readonly string[]): IptablesRule => nat('ISTIO_OUTPUT', ...args);
  return [
    nat('OUTPUT', '-p', 'tcp', '-j', 'ISTIO_OUTPUT'),
    ...capture.excludeOutboundPorts.map((port) => output(...tcpPort(port), '-j', 'RETURN')),
    // Envoy's inbound clusters dial the app from this source: already through Envoy.
    output('-o', 'lo', '-s', family.passthroughSource, '-j', 'RETURN'),
    ...owner.uids.flatMap((uid) => buildOwnerRules({ capture, family, owner: ['--uid-owner', String(uid)] })),
    ...owner.gids.flatMap((gid) => buildOwnerRules({ capture, family, owner: ['--gid-owner', String(gid)] })),
    ...(capture.dns ? [output(...tcpPort(53), '-j', 'REDIRECT', '--to-ports', DNS_PORT)] : []),
    output('-d', family.loopback, '-j', 'RETURN'),
    ...ofFamily(capture.excludeOutboundRanges, family).map((range) => output('-d', range.text, '-j', 'RETURN')),
    ...capture.includeOutboundPorts.map((port) => output(...tcpPort(port), '-j', 'ISTIO_REDIRECT')),
    ...matchRanges(capture.includeOutboundRanges, family).map((match) => output(...match, '-j', 'ISTIO_REDIRECT')),
  ];
}

type OwnerInputs = { readonly capture: Capture; readonly family: Family; readonly owner: readonly string[] };

function buildOwnerRules({ capture, family, owner }: OwnerInputs): readonly IptablesRule[] {
  const output = (...args: readonly string[]): IptablesRule => nat('ISTIO_OUTPUT', ...args);
  const notTunnel = capture.dns
    ? ['-p', 'tcp', '-m', 'multiport', '!', '--dports', `53,${TUNNEL_PORT}`]
    : ['-p', 'tcp', '!', '--dport', TUNNEL_PORT];
  const notDns = capture.dns ? ['-p', 'tcp', '!', '--dport', '53'] : [];
  const toSelf = output(
    '-o',
    'lo',
    '!',
    '-d',
    family.loopback,
    ...notTunnel,
    '-m',
    'owner',
    ...owner,
    '-j',
    'ISTIO_IN_REDIRECT',
  );
  const appToSelf = output('-o', 'lo', ...notDns, '-m', 'owner', '!', ...owner, '-j', 'RETURN');
  const fromEnvoy = output('-m', 'owner', ...owner, '-j', 'RETURN');
  // An app that calls its own service: Envoy (client) dials its own pod, which is Envoy (server).
  // Calls of the app to its own address stay out of Envoy, unless somebody included loopback on purpose.
  return includesLoopback(capture.includeOutboundRanges) ? [toSelf, fromEnvoy] : [toSelf, appToSelf, fromEnvoy];
}

function buildDnsCapture({ capture, owner }: CaptureForFamily): readonly IptablesRule[] {
  if (!capture.dns) return [];
  const udp = ['-p', 'udp', '--dport', '53'];
  return [
    ...ownerMatches(owner).map((match) => nat('OUTPUT', ...udp, ...match, '-j', 'RETURN')),
    nat('OUTPUT', ...udp, '-j', 'REDIRECT', '--to-ports', DNS_PORT),
  ];
}

/**
 * Envoy's own queries (zone 1) and the app's (zone 2) may use the same ports at the same time: apart in conntrack,
 * one cannot take the other's answer.
 */
function buildDnsZones({ capture, owner }: CaptureForFamily): readonly IptablesRule[] {
  if (!capture.dns) return [];
  const query = ['-p', 'udp', '--dport', '53'];
  const answer = ['-p', 'udp', '--sport', DNS_PORT];
  return [
    ...ownerMatches(owner).flatMap((match) => [
      raw('OUTPUT', ...query, ...match, '-j', 'CT', '--zone', '1'),
      raw('OUTPUT', ...answer, ...match, '-j', 'CT', '--zone', '2'),
    ]),
    raw('OUTPUT', ...query, '-j', 'CT', '--zone', '2'),
    raw('PREROUTING', '-p', 'udp', '--sport', '53', '-j', 'CT', '--zone', '1'),
  ];
}

function ownerMatches(owner: ProxyOwner): readonly (readonly string[])[] {
  return [
    ...owner.uids.map((uid) => ['-m', 'owner', '--uid-owner', String(uid)]),
    ...owner.gids.map((gid) => ['-m', 'owner', '--gid-owner', String(gid)]),
  ];
}

function ofFamily(ranges: readonly Cidr[], family: Family): readonly Cidr[] {
  return ranges.filter((range) => range.family === family.version);
}

/** One match per range; one empty match for everything. */
function matchRanges(ranges: Selection<Cidr>, family: Family): readonly (readonly string[])[] {
  return ranges === '*' ? [[]] : ofFamily(ranges, family).map((range) => ['-d', range.text]);
}

function includesLoopback(ranges: Selection<Cidr>): boolean {
  return ranges !== '*' && ranges.some((range) => range.text.startsWith('127.') || range.text.startsWith('::1/'));
}
