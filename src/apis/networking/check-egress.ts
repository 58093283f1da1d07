import { isUnixAddress } from '../address.ts';
import type { Field } from '../finding.ts';
import { isPartialWildcard } from '../host.ts';
import { isDnsLabel, isWildcardDnsName } from '../names.ts';
import { checkBindAddress, checkDnsLabel, checkOptionalProtocol, checkUnixAddress } from '../rules/names.ts';
import { checkPort, checkUnique } from '../rules/scalars.ts';
import type { EgressListener } from './networking.ts';

export function checkEgress(field: Field, egress: readonly EgressListener[], namespace: string): void {
  for (const [index, listener] of egress.entries()) {
    const at = field.at(index);
    if (listener.port !== undefined) checkEgressPort(at, listener, listener.port);
    else if (index < egress.length - 1) {
      at.error('XEB0602', {
        problem: 'has no port, but is not the last',
        fix: 'give it a port, or move it to the end',
      });
    }
    checkEgressHosts(at.at('hosts'), listener.hosts, namespace);
  }
  checkUnique(
    egress,
    ({ port, bind }) => (port === undefined ? undefined : port.number || bind),
    (index, key) => {
      const place = typeof key === 'number' ? ['port', 'number'] : ['bind'];
      field.at(index, ...place).error('XEB0115', { problem: 'is used above already', got: key, fix: 'change it' });
    },
  );
}

function checkEgressPort(
  field: Field,
  { bind = '', captureMode = 'DEFAULT' }: EgressListener,
  port: NonNullable<EgressListener['port']>,
): void {
  if (port.name) checkDnsLabel(field.at('port', 'name'), port.name);
  checkOptionalProtocol(field.at('port', 'protocol'), port.protocol);
  if (port.targetPort) {
    field.at('port', 'targetPort').warn('XEB0118', { problem: 'has no effect here', fix: 'remove it' });
  }
  if (port.number) {
    checkPort(field.at('port', 'number'), port.number);
    checkBindAddress(field.at('bind'), bind);
    return;
  }
  if (isUnixAddress(bind)) checkUnixAddress(field.at('bind'), bind);
  else {
    const problem = bind === '' ? 'is missing, and the port is 0' : 'is not a unix socket, and the port is 0';
    field
      .at('bind')
      .error('XEB0605', { problem, allowed: 'unix:///path or unix://@name', fix: 'bind to a socket, or give a port' });
  }
  if (captureMode === 'IPTABLES') {
    field
      .at('captureMode')
      .error('XEB0605', { problem: 'cannot capture a unix socket', got: captureMode, allowed: 'DEFAULT or NONE' });
  }
}

function checkEgressHosts(field: Field, hosts: readonly string[], namespace: string): void {
  if (hosts.length === 0) field.error('XEB0121', { problem: 'is empty', fix: 'add a host such as ./* or */*' });
  const seen = new Set<string>();
  for (const [index, host] of hosts.entries()) {
    checkEgressHost(field.at(index), host);
    const full = host.startsWith('./') ? `${namespace}${host.slice(1)}` : host;
    const covered = seen.has(full) || seen.has('*/*') || seen.has(`${full.slice(0, full.indexOf('/'))}/*`);
    if (covered) {
      field.at(index).warn('XEB0603', { problem: 'is covered by a host above', got: host, fix: 'remove it' });
    }
    seen.add(full);
  }
}

function checkEgressHost(field: Field, host: string): void {
  const slash = host.indexOf('/');
  if (slash < 0) {
    field.error('XEB0603', {
      problem: 'has no namespace',
      got: host,
      allowed: 'namespace/dnsName',
      fix: `write ./${host} or */${host}`,
    });
    return;
  }
  const namespace = host.slice(0, slash);
  const name = host.slice(slash + 1);
  if (!['*', '.', '~'].includes(namespace) && !isDnsLabel(namespace)) {
    field.error('XEB0603', { problem: 'has no usable namespace', got: host, allowed: 'a namespace, *, . or ~' });
  }
  if (!isWildcardDnsName(name)) {
    field.error('XEB0101', {
      problem: 'has no host name',
      got: host,
      allowed: 'a DNS name whose first label may be *',
    });
  } else if (name !== '*' && !name.includes('.')) {
    field.error('XEB0603', { problem: 'is a short name', got: host, fix: 'write the complete name, or *' });
  } else if (isPartialWildcard(name)) {
    field.warn('XEB0119', { problem: 'is a partial wildcard', got: host, fix: 'use a whole label: *.example.com' });
  }
}
