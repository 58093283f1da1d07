import { isIp, isUnixAddress } from '../address.ts';
import { Field } from '../finding.ts';
import { isPartialWildcard } from '../host.ts';
import type { Issue } from '../issue.ts';
import type { MetaForValidation } from '../meta.ts';
import { isDnsLabel, isWildcardDnsName } from '../names.ts';
import { isHttpProtocol, isTlsProtocol, type KnownProtocol, parseProtocol } from '../protocol.ts';
import { checkBindOrUnix, checkProtocol } from '../rules/names.ts';
import { checkPort, checkUnique } from '../rules/scalars.ts';
import { checkServerTls } from './check-server-tls.ts';
import type { GatewayServer, GatewaySpec, ServerTls } from './networking.ts';

export function validateGateway(spec: GatewaySpec, { name }: MetaForValidation): readonly Issue[] {
  const issues: Issue[] = [];
  if (!isDnsLabel(name)) {
    const fix = 'rename it without dots';
    Field.top(issues, 'metadata').at('name').error('XEB0401', { problem: 'is not a DNS label', got: name, fix });
  }
  const field = Field.top(issues, 'spec');
  const { servers } = spec;
  if (servers.length === 0) field.at('servers').error('XEB0121', { problem: 'is empty', fix: 'add a server' });
  field.at('servers').each(servers, checkServer);
  checkUnique(
    servers,
    ({ port }) => port.name || undefined,
    (index, port) => {
      const at = field.at('servers', index, 'port', 'name');
      at.error('XEB0115', { problem: 'is the name of another server above', got: port, fix: 'rename one of them' });
    },
  );
  return issues;
}

function checkServer(field: Field, server: GatewayServer): void {
  const protocol = parseProtocol(server.port.protocol);
  checkServerPort(field, server);
  checkBindOrUnix(field.at('bind'), server.bind);
  if (server.hosts.length === 0) field.at('hosts').error('XEB0121', { problem: 'is empty', fix: 'add a host, or "*"' });
  for (const [index, host] of server.hosts.entries()) checkServerHost(field.at('hosts', index), host, protocol);
  if (server.tls !== undefined) checkServerTls(field.at('tls'), server.tls);
  checkTlsFitsProtocol(field, server, protocol);
}

function checkServerPort(field: Field, { port, bind = '' }: GatewayServer): void {
  checkProtocol(field.at('port', 'protocol'), port.protocol);
  if (!isUnixAddress(bind)) {
    checkServedPort(field.at('port', 'number'), port.number);
  } else if (port.number) {
    field
      .at('port', 'number')
      .error('XEB0105', { problem: 'has no use for a unix socket', got: port.number, allowed: '0' });
  }
  if (!port.name) {
    field.at('port', 'name').error('XEB0002', { problem: 'is required and missing', fix: 'name the port' });
  }
  if (port.targetPort) {
    field.at('port', 'targetPort').warn('XEB0118', { problem: 'has no effect at a gateway', fix: 'remove it' });
  }
}

/** Istio 1.4 lets 0 through. Nobody can reach such a server, but the others of its Gateway are served. */
function checkServedPort(field: Field, number = 0): void {
  if (number === 0) {
    field.warn('XEB0105', {
      problem: 'is missing or 0, so the server is not served',
      allowed: '1 to 65535',
      fix: 'add it',
    });
  } else {
    checkPort(field, number);
  }
}

/** `dnsName` or `namespace/dnsName`; short names are refused, because nobody can say whose they are. */
function checkServerHost(field: Field, host: string, protocol: KnownProtocol | undefined): void {
  const slash = host.indexOf('/');
  const name = host.slice(slash + 1);
  if (slash >= 0) checkNamespace(field, host.slice(0, slash), host);
  if (name === '') {
    field.error('XEB0402', { problem: 'has no host name', got: host, allowed: 'namespace/dnsName' });
  } else if (!isWildcardDnsName(name) && !isIp(name)) {
    field.error('XEB0101', {
      problem: 'is not a host name',
      got: host,
      allowed: 'a DNS name whose first label may be *',
    });
  } else if (name !== '*' && !name.includes('.') && !isIp(name)) {
    field.error('XEB0402', { problem: 'is a short name', got: host, fix: 'write the complete name, or *' });
  } else if (isPartialWildcard(name)) {
    const finding = { problem: 'is a partial wildcard', got: host, fix: 'use a whole label: *.example.com' };
    // Envoy matches server names by whole labels and refuses the listener otherwise.
    field.report(isTlsProtocol(protocol) ? 'error' : 'warning', 'XEB0119', finding);
  }
}

function checkNamespace(field: Field, namespace: string, host: string): void {
  if (namespace === '*' || namespace === '.' || isDnsLabel(namespace)) return;
  field.error('XEB0402', { problem: 'has no usable namespace', got: host, allowed: 'a namespace, * or .' });
}

function checkTlsFitsProtocol(field: Field, { tls }: GatewayServer, protocol: KnownProtocol | undefined): void {
  if (protocol === undefined) return;
  if (!isTlsProtocol(protocol)) {
    if (tls !== undefined) checkTlsOnPlainPort(field.at('tls'), tls, protocol);
  } else if (tls === undefined) {
    field.at('tls').error('XEB0403', { problem: `is required for protocol ${protocol}`, fix: 'add tls' });
  } else if (tls.httpsRedirect === true) {
    field
      .at('tls', 'httpsRedirect')
      .warn('XEB0118', { problem: 'has no effect on a TLS port', fix: 'move it to the HTTP port' });
  }
}

/** A plain HTTP port may redirect to HTTPS, which is said in the TLS settings. */
function checkTlsOnPlainPort(field: Field, tls: ServerTls, protocol: KnownProtocol): void {
  const files = tls.serverCertificate || tls.privateKey || tls.caCertificates;
  const redirectOnly = (tls.mode ?? 'PASSTHROUGH') === 'PASSTHROUGH' && !files;
  if (isHttpProtocol(protocol) && redirectOnly) return;
  const allowed = isHttpProtocol(protocol) ? 'httpsRedirect only' : 'nothing';
  field.error('XEB0404', {
    problem: `is not possible on a port of protocol ${protocol}`,
    allowed,
    fix: 'use HTTPS or TLS',
  });
}
