import { isIp, isSubnet, isUnixAddress, isUsableUnixAddress } from '../address.ts';
import type { Field } from '../finding.ts';
import { isDnsLabel, isDnsName, isLabelKey, isLabelValue, isWildcardDnsName } from '../names.ts';
import { parseProtocol, protocolNames } from '../protocol.ts';
import { nearest } from '../schema/words.ts';

export type Labels = Readonly<Record<string, string>>;

const wildcardHostForm = 'a DNS name whose first label may be *';

export function checkWildcardHost(field: Field, host: string): void {
  if (isWildcardDnsName(host)) return;
  field.error('XEB0101', {
    problem: 'is not a host name',
    got: host,
    allowed: wildcardHostForm,
    ...superfluousIn(host),
  });
}

/** What people write beside the name of a host. */
function superfluousIn(host: string): { readonly fix?: string } {
  if (/^\w+:\/\//.test(host)) return { fix: 'leave out the scheme' };
  if (/:\d+$/.test(host)) return { fix: 'leave out the port' };
  return host.includes('/') ? { fix: 'leave out the path' } : {};
}

/** A host that traffic is sent to, or that exists: `*` alone is none. */
export function checkHostOfService(field: Field, host: string): void {
  if (host === '*') {
    field.error('XEB0102', { problem: 'cannot be *', got: host, fix: 'name the host' });
    return;
  }
  checkWildcardHost(field, host);
}

export function checkDnsName(field: Field, name: string): void {
  if (isDnsName(name)) return;
  field.error('XEB0101', {
    problem: 'is not a complete host name',
    got: name,
    allowed: 'a DNS name without wildcards',
  });
}

export function checkDnsLabel(field: Field, name: string): void {
  if (isDnsLabel(name)) return;
  const allowed = 'letters, digits and inner hyphens, at most 63';
  if (name === '') field.error('XEB0103', { problem: 'is missing or empty', allowed, fix: 'give it a name' });
  else field.error('XEB0103', { problem: 'is not a DNS label', got: name, allowed });
}

export function checkSubnet(field: Field, subnet: string): void {
  if (isSubnet(subnet)) return;
  field.error('XEB0106', {
    problem: 'is not an address',
    got: subnet,
    allowed: 'an IP address or a block such as 10.0.0.0/8',
  });
}

/** Where a listener binds: an IP address. */
export function checkBindAddress(field: Field, bind: string | undefined): void {
  if (bind === undefined || bind === '' || isIp(bind)) return;
  field.error('XEB0106', { problem: 'is not an IP address', got: bind, allowed: 'an IPv4 or IPv6 address' });
}

export function checkUnixAddress(field: Field, address: string): void {
  if (isUsableUnixAddress(address)) return;
  const allowed = 'unix:///absolute/path or unix://@name';
  field.error('XEB0107', { problem: 'is not a unix socket', got: address, allowed });
}

/** An IP address or a unix socket. */
export function checkBindOrUnix(field: Field, bind: string | undefined): void {
  if (bind !== undefined && isUnixAddress(bind)) checkUnixAddress(field, bind);
  else checkBindAddress(field, bind);
}

/** An empty protocol is sniffed. */
export function checkOptionalProtocol(field: Field, protocol: string | undefined): void {
  if (protocol === undefined || protocol === '') return;
  checkProtocol(field, protocol);
}

export function checkProtocol(field: Field, protocol: string | undefined): void {
  if (parseProtocol(protocol) !== undefined) return;
  const allowed = protocolNames.join(', ');
  if (!protocol) {
    field.error('XEB0108', { problem: 'is missing or empty', allowed, fix: 'say what the port speaks' });
    return;
  }
  const meant = nearest(protocol, protocolNames);
  const fix = meant === undefined ? {} : { fix: `did you mean ${meant}?` };
  field.error('XEB0108', { problem: 'is not a known protocol', got: protocol, allowed, ...fix });
}

export function checkLabels(field: Field, labels: Labels | undefined): void {
  for (const [key, value] of Object.entries(labels ?? {})) {
    if (!isLabelKey(key)) {
      field.at(key).error('XEB0104', { problem: 'is not a label key', got: key, allowed: '[prefix/]name' });
    }
    if (!isLabelValue(value)) {
      const allowed = 'letters, digits and inner - _ . characters';
      field.at(key).error('XEB0104', { problem: 'is not a label value', got: value, allowed });
    }
  }
}

/**
 * The labels of a selector that is there. Without labels it selects everything, which is seldom meant. What cannot be a
 * label is a mistake; in kinds of 1.4, which did not look, it is only a selector that selects nothing.
 */
export function checkSelectorLabels(
  field: Field,
  labels: Labels | undefined,
  level: 'error' | 'warning' = 'error',
): void {
  const entries = Object.entries(labels ?? {});
  if (entries.length === 0) {
    field.warn('XEB0117', {
      problem: 'has no labels, so every workload is selected',
      fix: 'add labels, or remove the selector',
    });
  }
  for (const [key, value] of entries) {
    if (key === '') field.at(key).report(level, 'XEB0117', { problem: 'has an empty key', fix: 'name the label' });
    if (key.includes('*') || value.includes('*')) {
      const fix = 'write the whole label: labels are compared for equality';
      field.at(key).report(level, 'XEB0117', { problem: 'uses a wildcard', got: `${key}=${value}`, fix });
    }
  }
}
