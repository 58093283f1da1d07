import { isIp, isUnixAddress } from '../address.ts';
import type { Field } from '../finding.ts';
import { isDnsName } from '../names.ts';
import { checkDnsLabel, checkLabels, checkUnixAddress } from '../rules/names.ts';
import { checkPort } from '../rules/scalars.ts';
import { enumerate } from '../schema/words.ts';
import type { WorkloadEntrySpec } from './networking.ts';

export type EndpointRules = {
  /** Whether Envoy resolves the address: only then it may be a host name. */
  readonly hostNames: boolean;
  /** Whether the address may be a unix socket. */
  readonly sockets: boolean;
  /** The ports of the entry the endpoint belongs to; unknown for a WorkloadEntry on its own. */
  readonly portNames: readonly string[] | undefined;
};

/** An endpoint of a ServiceEntry, or a WorkloadEntry. */
export function checkEndpoint(field: Field, endpoint: WorkloadEntrySpec, rules: EndpointRules): void {
  checkAddress(field, endpoint, rules);
  for (const [name, port] of Object.entries(endpoint.ports ?? {})) {
    const at = field.at('ports', name);
    checkDnsLabel(at, name);
    checkPort(at, port);
    if (rules.portNames !== undefined && !rules.portNames.includes(name)) {
      at.error('XEB0503', { problem: 'is not a port of the entry', got: name, allowed: enumerate(rules.portNames) });
    }
  }
  checkLabels(field.at('labels'), endpoint.labels);
}

function checkAddress(
  field: Field,
  endpoint: WorkloadEntrySpec,
  { hostNames, sockets, portNames }: EndpointRules,
): void {
  const { address = '', network } = endpoint;
  const at = field.at('address');
  if (address === '') {
    if (network) at.warn('XEB0502', { problem: `is empty: traffic goes to the gateway of network ${network}` });
    else at.error('XEB0502', { problem: 'is required and missing', fix: 'give an address, or a network' });
  } else if (isUnixAddress(address) && sockets) {
    checkSocket(field, endpoint, portNames);
  } else if (!isIp(address) && !(hostNames && isDnsName(address))) {
    const allowed = hostNames ? 'an IP address or a host name' : 'an IP address or unix:///path';
    at.error('XEB0502', { problem: 'is not an address', got: address, allowed });
  }
}

function checkSocket(field: Field, endpoint: WorkloadEntrySpec, portNames: readonly string[] | undefined): void {
  checkUnixAddress(field.at('address'), endpoint.address ?? '');
  if (Object.keys(endpoint.ports ?? {}).length > 0) {
    field.at('ports').error('XEB0503', { problem: 'cannot be set for a unix socket', fix: 'remove it' });
  }
  if (portNames === undefined || portNames.length === 1) return;
  const problem = `is a unix socket, but the entry has ${portNames.length} ports`;
  field.at('address').error('XEB0503', { problem, allowed: 'exactly 1 port' });
}
