import { describe, expect, test } from 'vitest';
import { parseCapture, renderProblem } from './capture.ts';
import { buildCaptureRules, buildCommands, renderRestore } from './iptables.ts';

const TRAFFIC = 'traffic.sidecar.istio.io/';

function rulesFor(annotations: Readonly<Record<string, string>>, dns = false): ReturnType<typeof buildCaptureRules> {
  const capture = parseCapture(annotations, { dns });
  if (!capture.ok) throw new Error(capture.error.map(renderProblem).join('; '));
  return buildCaptureRules(capture.value);
}

/** The rules of one chain, in order, without the chain's name. */
function chain(rules: ReturnType<typeof rulesFor>['ipv4'], name: string): readonly string[] {
  return rules.filter((rule) => rule.chain === name).map((rule) => rule.args.join(' '));
}

const DEFAULT_IPV4 = `*nat
:ISTIO_INBOUND - [0:0]
:ISTIO_IN_REDIRECT - [0:0]
:ISTIO_OUTPUT - [0:0]
:ISTIO_REDIRECT - [0:0]
-A PREROUTING -p tcp -j ISTIO_INBOUND
-A ISTIO_INBOUND -p tcp --dport 15008 -j RETURN
-A ISTIO_INBOUND -p tcp --dport 15090 -j RETURN
-A ISTIO_INBOUND -p tcp --dport 15021 -j RETURN
-A ISTIO_INBOUND -p tcp --dport 15020 -j RETURN
-A ISTIO_INBOUND -p tcp -j ISTIO_IN_REDIRECT
-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001
-A ISTIO_IN_REDIRECT -p tcp -j REDIRECT --to-ports 15006
-A OUTPUT -p tcp -j ISTIO_OUTPUT
-A ISTIO_OUTPUT -o lo -s 127.0.0.6/32 -j RETURN
-A ISTIO_OUTPUT -o lo ! -d 127.0.0.1/32 -p tcp ! --dport 15008 -m owner --uid-owner 1337 -j ISTIO_IN_REDIRECT
-A ISTIO_OUTPUT -o lo -m owner ! --uid-owner 1337 -j RETURN
-A ISTIO_OUTPUT -m owner --uid-owner 1337 -j RETURN
-A ISTIO_OUTPUT -o lo ! -d 127.0.0.1/32 -p tcp ! --dport 15008 -m owner --gid-owner 1337 -j ISTIO_IN_REDIRECT
-A ISTIO_OUTPUT -o lo -m owner ! --gid-owner 1337 -j RETURN
-A ISTIO_OUTPUT -m owner --gid-owner 1337 -j RETURN
-A ISTIO_OUTPUT -d 127.0.0.1/32 -j RETURN
-A ISTIO_OUTPUT -j ISTIO_REDIRECT
COMMIT
`;

describe('capture rules', () => {
  test('without annotations all TCP is captured, as Istio does it', () => {
    expect(renderRestore(rulesFor({}).ipv4)).toBe(DEFAULT_IPV4);
  });

  test('IPv6 gets the same rules with its own loopback addresses', () => {
    const expected = DEFAULT_IPV4.replaceAll('127.0.0.1/32', '::1/128').replaceAll('127.0.0.6/32', '::6/128');
    expect(renderRestore(rulesFor({}).ipv6)).toBe(expected);
  });

  test('mode NONE leaves the pod alone', () => {
    const rules = rulesFor({ 'sidecar.istio.io/interceptionMode': 'NONE' }, true);
    expect(rules).toEqual({ ipv4: [], ipv6: [] });
    expect(renderRestore(rules.ipv4)).toBe('');
  });

  test('excluded inbound ports and the status port come after Envoy’s own', () => {
    const rules = rulesFor({ [`${TRAFFIC}excludeInboundPorts`]: '22, 9000', 'status.sidecar.istio.io/port': '15022' });
    expect(chain(rules.ipv4, 'ISTIO_INBOUND').slice(1, -1)).toEqual(
      [15090, 15021, 15020, 22, 9000, 15022].map((port) => `-p tcp --dport ${port} -j RETURN`),
    );
  });

  test('listed inbound ports replace everything; an empty list captures nothing', () => {
    const listed = rulesFor({ [`${TRAFFIC}includeInboundPorts`]: '80,443' });
    expect(chain(listed.ipv4, 'ISTIO_INBOUND')).toEqual([
      '-p tcp --dport 15008 -j RETURN',
      '-p tcp --dport 80 -j ISTIO_IN_REDIRECT',
      '-p tcp --dport 443 -j ISTIO_IN_REDIRECT',
    ]);
    const none = rulesFor({ [`${TRAFFIC}includeInboundPorts`]: '' });
    expect(chain(none.ipv4, 'PREROUTING')).toEqual([]);
  });

  test('outbound ranges go to the family they belong to, exclusions first, ports before ranges', () => {
    const rules = rulesFor({
      [`${TRAFFIC}includeOutboundIPRanges`]: '10.0.0.0/8,fd00::/8',
      [`${TRAFFIC}excludeOutboundIPRanges`]: '10.9.0.0/16',
      [`${TRAFFIC}includeOutboundPorts`]: '3306',
      [`${TRAFFIC}excludeOutboundPorts`]: '25',
    });
    expect(chain(rules.ipv4, 'ISTIO_OUTPUT')[0]).toBe('-p tcp --dport 25 -j RETURN');
    expect(chain(rules.ipv4, 'ISTIO_OUTPUT').slice(-4)).toEqual([
      '-d 127.0.0.1/32 -j RETURN',
      '-d 10.9.0.0/16 -j RETURN',
      '-p tcp --dport 3306 -j ISTIO_REDIRECT',
      '-d 10.0.0.0/8 -j ISTIO_REDIRECT',
    ]);
    expect(chain(rules.ipv6, 'ISTIO_OUTPUT').slice(-2)).toEqual([
      '-p tcp --dport 3306 -j ISTIO_REDIRECT',
      '-d fd00::/8 -j ISTIO_REDIRECT',
    ]);
  });

  test('an empty list of outbound ranges captures nothing but the listed ports', () => {
    const rules = rulesFor({ [`${TRAFFIC}includeOutboundIPRanges`]: '' });
    expect(chain(rules.ipv4, 'ISTIO_OUTPUT').at(-1)).toBe('-d 127.0.0.1/32 -j RETURN');
  });

  test('loopback in the included ranges keeps calls to oneself captured', () => {
    const rules = rulesFor({ [`${TRAFFIC}includeOutboundIPRanges`]: '127.1.2.3/32' });
    expect(chain(rules.ipv4, 'ISTIO_OUTPUT')).not.toContain('-o lo -m owner ! --uid-owner 1337 -j RETURN');
  });

  test('a virtual machine’s interface is outbound; an excluded interface is nobody’s business', () => {
    const rules = rulesFor({
      [`${TRAFFIC}kubevirtInterfaces`]: 'vnet0',
      'istio.io/reroute-virtual-interfaces': 'tap+',
      [`${TRAFFIC}excludeInterfaces`]: 'eth1',
    });
    expect(chain(rules.ipv4, 'PREROUTING')).toEqual([
      '-i eth1 -j RETURN',
      '-i tap+ -j ISTIO_REDIRECT',
      '-i tap+ -j RETURN',
      '-i vnet0 -j ISTIO_REDIRECT',
      '-i vnet0 -j RETURN',
      '-p tcp -j ISTIO_INBOUND',
    ]);
    expect(chain(rules.ipv4, 'OUTPUT')[0]).toBe('-o eth1 -j RETURN');
  });

  test('DNS capture sends UDP and TCP 53 to Envoy, but not Envoy’s own queries, in zones of their own', () => {
    const rules = rulesFor({}, true).ipv4;
    expect(rules.filter((rule) => rule.table === 'raw').map((rule) => `${rule.chain} ${rule.args.join(' ')}`)).toEqual([
      'OUTPUT -p udp --dport 53 -m owner --uid-owner 1337 -j CT --zone 1',
      'OUTPUT -p udp --sport 15053 -m owner --uid-owner 1337 -j CT --zone 2',
      'OUTPUT -p udp --dport 53 -m owner --gid-owner 1337 -j CT --zone 1',
      'OUTPUT -p udp --sport 15053 -m owner --gid-owner 1337 -j CT --zone 2',
      'OUTPUT -p udp --dport 53 -j CT --zone 2',
      'PREROUTING -p udp --sport 53 -j CT --zone 1',
    ]);
    const output = rules.filter((rule) => rule.table === 'nat' && rule.chain === 'OUTPUT');
    expect(output.map((rule) => rule.args.join(' '))).toEqual([
      '-p tcp -j ISTIO_OUTPUT',
      '-p udp --dport 53 -m owner --uid-owner 1337 -j RETURN',
      '-p udp --dport 53 -m owner --gid-owner 1337 -j RETURN',
      '-p udp --dport 53 -j REDIRECT --to-ports 15053',
    ]);
    expect(chain(rules, 'ISTIO_OUTPUT')).toContain('-p tcp --dport 53 -j REDIRECT --to-ports 15053');
  });

  test('excluding outbound port 53 switches DNS capture off', () => {
    const rules = rulesFor({ [`${TRAFFIC}excludeOutboundPorts`]: '53' }, true).ipv4;
    expect(rules.filter((rule) => rule.args.includes('udp'))).toEqual([]);
  });

  test('TPROXY takes inbound in mangle and keeps outbound in nat', () => {
    const rules = rulesFor({ 'sidecar.istio.io/interceptionMode': 'TPROXY' }).ipv4;
    expect(rules.filter((rule) => rule.chain === 'ISTIO_INBOUND').every((rule) => rule.table === 'mangle')).toBe(true);
    expect(chain(rules, 'ISTIO_INBOUND').slice(-2)).toEqual([
      '-p tcp -m conntrack --ctstate RELATED,ESTABLISHED -j ISTIO_DIVERT',
      '-p tcp -j ISTIO_TPROXY',
    ]);
    expect(chain(rules, 'ISTIO_OUTPUT').at(-1)).toBe('-j ISTIO_REDIRECT');
  });

  test('commands make chains before the rules that use them', () => {
    const commands = buildCommands(rulesFor({}).ipv4).map((args) => args.join(' '));
    expect(commands[0]).toBe('-t nat -N ISTIO_INBOUND');
    expect(commands.at(-1)).toBe('-t nat -A ISTIO_OUTPUT -j ISTIO_REDIRECT');
  });
});

describe('capture annotations', () => {
  test.each([
    ['sidecar.istio.io/interceptionMode', 'redirect', 'must be REDIRECT, TPROXY or NONE'],
    [`${TRAFFIC}includeInboundPorts`, '80;reboot', "'80;reboot' is not a port (0 to 65535)"],
    [`${TRAFFIC}excludeInboundPorts`, '*', "'*' is not a port (0 to 65535)"],
    [`${TRAFFIC}excludeOutboundPorts`, '65536', "'65536' is not a port (0 to 65535)"],
    [`${TRAFFIC}includeOutboundIPRanges`, '10.0.0.1', "'10.0.0.1' is not an IP range such as 10.0.0.0/8"],
    [`${TRAFFIC}excludeOutboundIPRanges`, '10.0.0.0/33', "'10.0.0.0/33' is not an IP range such as 10.0.0.0/8"],
    [`${TRAFFIC}excludeInterfaces`, 'eth0 -j ACCEPT', "'eth0 -j ACCEPT' is not a network interface name"],
    [`${TRAFFIC}kubevirtInterfaces`, '-i', "'-i' is not a network interface name"],
  ])('%s: %s is refused', (annotation, value, reason) => {
    const parsed = parseCapture({ [annotation]: value }, { dns: false });
    expect(parsed).toEqual({ ok: false, error: [{ annotation, value, reason }] });
  });

  test('every problem is told at once', () => {
    const parsed = parseCapture(
      { [`${TRAFFIC}includeInboundPorts`]: 'x', [`${TRAFFIC}excludeOutboundPorts`]: 'y' },
      { dns: false },
    );
    expect(parsed.ok ? [] : parsed.error.map(renderProblem)).toEqual([
      `invalid value 'x' for annotation '${TRAFFIC}includeInboundPorts': 'x' is not a port (0 to 65535)`,
      `invalid value 'y' for annotation '${TRAFFIC}excludeOutboundPorts': 'y' is not a port (0 to 65535)`,
    ]);
  });
});
