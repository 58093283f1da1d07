import { Field } from '../finding.ts';
import { isPartialWildcard, isWildcard } from '../host.ts';
import type { Issue } from '../issue.ts';
import type { MetaForValidation } from '../meta.ts';
import { isDnsName } from '../names.ts';
import { isHttpProtocol, isTlsProtocol, parseProtocol } from '../protocol.ts';
import {
  checkDnsLabel,
  checkHostOfService,
  checkOptionalProtocol,
  checkSelectorLabels,
  checkSubnet,
} from '../rules/names.ts';
import { checkOptionalPort, checkPort, checkUnique } from '../rules/scalars.ts';
import { checkExportTo } from '../rules/visibility.ts';
import { checkEndpoint } from './check-endpoint.ts';
import type { Port, ServiceEntrySpec } from './networking.ts';

export function validateServiceEntry(spec: ServiceEntrySpec, { namespace }: MetaForValidation): readonly Issue[] {
  const issues: Issue[] = [];
  const field = Field.top(issues, 'spec');
  checkHosts(field.at('hosts'), spec.hosts);
  checkAddresses(field.at('addresses'), spec);
  checkPorts(field.at('ports'), spec);
  checkSelector(field, spec);
  checkResolution(field, spec);
  checkManyHosts(field, spec);
  checkExportTo(field.at('exportTo'), spec.exportTo, { namespace, allowNone: true });
  return issues;
}

function checkHosts(field: Field, hosts: readonly string[]): void {
  if (hosts.length === 0) field.error('XEB0121', { problem: 'is empty', fix: 'add a host' });
  for (const [index, host] of hosts.entries()) {
    checkHostOfService(field.at(index), host);
    if (!isPartialWildcard(host)) continue;
    field
      .at(index)
      .warn('XEB0119', { problem: 'is a partial wildcard', got: host, fix: 'use a whole label: *.example.com' });
  }
}

function checkAddresses(field: Field, { addresses = [], resolution = 'NONE' }: ServiceEntrySpec): void {
  for (const [index, address] of addresses.entries()) {
    checkSubnet(field.at(index), address);
    if (!address.includes('/') || resolution === 'NONE' || resolution === 'STATIC') continue;
    const fix = 'use single addresses, or another resolution';
    field.at(index).error('XEB0505', { problem: `is a block, with resolution ${resolution}`, got: address, fix });
  }
}

function checkPorts(field: Field, spec: ServiceEntrySpec): void {
  const ports = spec.ports ?? [];
  for (const [index, port] of ports.entries()) checkServicePort(field.at(index), port, spec);
  checkUnique(
    ports,
    ({ name }) => name || undefined,
    (index, name) =>
      field.at(index, 'name').error('XEB0115', { problem: 'is the name of another port', got: name, fix: 'rename it' }),
  );
  checkUnique(
    ports,
    ({ number }) => number || undefined,
    (index, number) =>
      field
        .at(index, 'number')
        .error('XEB0115', { problem: 'is the number of another port', got: number, fix: 'remove one' }),
  );
}

function checkServicePort(field: Field, port: Port, { addresses = [], resolution = 'NONE' }: ServiceEntrySpec): void {
  checkDnsLabel(field.at('name'), port.name ?? '');
  checkOptionalProtocol(field.at('protocol'), port.protocol);
  checkPort(field.at('number'), port.number);
  checkOptionalPort(field.at('targetPort'), port.targetPort);
  const plainTcp = !port.protocol || port.protocol.toUpperCase() === 'TCP';
  if (addresses.length > 0 || !plainTcp || resolution === 'NONE') return;
  const problem = 'carries TCP, and the entry has no addresses: it takes all traffic to its number';
  field.warn('IST0134', { problem, fix: 'add addresses, or let them be allocated' });
}

function checkSelector(field: Field, { workloadSelector, endpoints, resolution = 'NONE' }: ServiceEntrySpec): void {
  if (workloadSelector === undefined) return;
  const at = field.at('workloadSelector');
  checkSelectorLabels(at.at('labels'), workloadSelector.labels);
  if (endpoints !== undefined) {
    at.error('XEB0506', { problem: 'cannot stand beside endpoints', fix: 'keep one of them' });
  }
  if (resolution === 'NONE') {
    at.warn('XEB0118', { problem: 'has no effect with resolution NONE', fix: 'use STATIC or DNS' });
  }
}

function checkResolution(field: Field, spec: ServiceEntrySpec): void {
  const { resolution = 'NONE', endpoints = [] } = spec;
  const at = field.at('endpoints');
  switch (resolution) {
    case 'NONE':
    case 'DYNAMIC_DNS':
      if (endpoints.length > 0) {
        at.error('XEB0501', { problem: `cannot be given with resolution ${resolution}`, fix: 'use STATIC or DNS' });
      }
      if (resolution === 'DYNAMIC_DNS') field.at('hosts').each(spec.hosts, warnNoWildcard);
      break;
    case 'STATIC':
      checkStaticEndpoints(at, spec);
      break;
    case 'DNS':
    case 'DNS_ROUND_ROBIN':
      checkDnsEndpoints(field, spec);
      break;
  }
}

function warnNoWildcard(field: Field, host: string): void {
  if (isWildcard(host)) return;
  field.warn('XEB0501', { problem: 'is no wildcard', got: host, fix: 'resolution DNS is enough for it' });
}

function checkStaticEndpoints(field: Field, spec: ServiceEntrySpec): void {
  const { endpoints = [] } = spec;
  if (endpoints.length === 0 && spec.workloadSelector === undefined) {
    field.warn('XEB0501', { problem: 'is empty, so the hosts lead nowhere', fix: 'add endpoints or workloadSelector' });
  }
  const rules = { hostNames: false, sockets: true, portNames: portNames(spec) };
  field.each(endpoints, (at, endpoint) => checkEndpoint(at, endpoint, rules));
}

function checkUnresolvable(field: Field, host: string): void {
  if (isDnsName(host)) return;
  field.error('XEB0501', { problem: 'cannot be resolved', got: host, fix: 'use a complete name, or add endpoints' });
}

function portNames({ ports = [] }: ServiceEntrySpec): readonly string[] {
  return ports.flatMap(({ name }) => name ?? []);
}

function checkDnsEndpoints(field: Field, spec: ServiceEntrySpec): void {
  const { endpoints = [], hosts, resolution, workloadSelector } = spec;
  if (endpoints.length === 0 && workloadSelector === undefined) field.at('hosts').each(hosts, checkUnresolvable);
  if (resolution === 'DNS_ROUND_ROBIN' && endpoints.length > 1) {
    const allowed = 'at most 1 with DNS_ROUND_ROBIN';
    field.at('endpoints').error('XEB0501', { problem: `has ${endpoints.length} entries`, allowed });
  }
  const rules = { hostNames: true, sockets: false, portNames: portNames(spec) };
  field.at('endpoints').each(endpoints, (at, endpoint) => checkEndpoint(at, endpoint, rules));
}

function checkManyHosts(field: Field, { hosts, ports = [], resolution = 'NONE' }: ServiceEntrySpec): void {
  if (resolution === 'NONE' || hosts.length < 2) return;
  for (const [index, { protocol }] of ports.entries()) {
    const known = parseProtocol(protocol);
    if (isHttpProtocol(known) || isTlsProtocol(known)) continue;
    const problem = `does not say which of the ${hosts.length} hosts is wanted`;
    field
      .at('ports', index)
      .error('XEB0504', { problem, got: protocol, fix: 'use one entry per host, or HTTP or TLS' });
  }
}
