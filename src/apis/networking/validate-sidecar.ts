import { isUnixAddress, splitHostPort } from '../address.ts';
import { Field } from '../finding.ts';
import type { Issue } from '../issue.ts';
import type { MetaForValidation } from '../meta.ts';
import { isHttpProtocol, isTlsProtocol, parseProtocol } from '../protocol.ts';
import {
  checkBindAddress,
  checkDnsLabel,
  checkDnsName,
  checkOptionalProtocol,
  checkSelectorLabels,
  checkUnixAddress,
} from '../rules/names.ts';
import { checkPort, checkUnique, isPort } from '../rules/scalars.ts';
import { checkDestination } from './check-destinations.ts';
import { checkEgress } from './check-egress.ts';
import { checkServerTls } from './check-server-tls.ts';
import { checkConnectionPool } from './check-traffic-policy.ts';
import type { IngressListener, SidecarSpec } from './networking.ts';

export function validateSidecar(spec: SidecarSpec, { namespace }: MetaForValidation): readonly Issue[] {
  const issues: Issue[] = [];
  const field = Field.top(issues, 'spec');
  const { ingress = [], egress = [], workloadSelector, inboundConnectionPool, outboundTrafficPolicy } = spec;
  if (workloadSelector !== undefined) {
    checkSelectorLabels(field.at('workloadSelector', 'labels'), workloadSelector.labels, 'warning');
  }
  if (
    ingress.length + egress.length === 0 &&
    inboundConnectionPool === undefined &&
    outboundTrafficPolicy === undefined
  ) {
    const allowed = 'ingress, egress, inboundConnectionPool, outboundTrafficPolicy';
    field.error('XEB0601', { problem: 'sets nothing', allowed, fix: 'add egress' });
  }
  field.at('ingress').each(ingress, checkIngress);
  checkUnique(
    ingress,
    ({ port }) => port.number,
    (index, number) =>
      field
        .at('ingress', index, 'port', 'number')
        .error('XEB0115', { problem: 'is used above already', got: number, fix: 'change it' }),
  );
  checkConnectionPool(field.at('inboundConnectionPool'), inboundConnectionPool);
  checkEgress(field.at('egress'), egress, namespace);
  checkOutboundPolicy(field.at('outboundTrafficPolicy'), outboundTrafficPolicy);
  return issues;
}

function checkIngress(field: Field, listener: IngressListener): void {
  const { port, tls, connectionPool, defaultEndpoint, bind } = listener;
  if (port.name) checkDnsLabel(field.at('port', 'name'), port.name);
  checkOptionalProtocol(field.at('port', 'protocol'), port.protocol);
  checkPort(field.at('port', 'number'), port.number);
  if (port.targetPort) {
    field.at('port', 'targetPort').warn('XEB0118', { problem: 'has no effect here', fix: 'use defaultEndpoint' });
  }
  checkBindAddress(field.at('bind'), bind);
  if (defaultEndpoint) checkDefaultEndpoint(field.at('defaultEndpoint'), defaultEndpoint);
  checkConnectionPool(field.at('connectionPool'), connectionPool);
  const protocol = parseProtocol(port.protocol);
  if (connectionPool?.http !== undefined && !isHttpProtocol(protocol)) {
    field
      .at('connectionPool', 'http')
      .warn('XEB0118', { problem: 'has no effect on a port that is not HTTP', fix: 'use tcp' });
  }
  if (tls === undefined) return;
  if (!isTlsProtocol(protocol)) {
    field
      .at('tls')
      .warn('XEB0606', { problem: 'needs protocol TLS or HTTPS', got: port.protocol, fix: 'change the protocol' });
  }
  checkIngressTls(field.at('tls'), tls);
}

const hostsOfWorkload: readonly string[] = ['', '127.0.0.1', '0.0.0.0', '::1', '::'];

function checkDefaultEndpoint(field: Field, endpoint: string): void {
  if (isUnixAddress(endpoint)) {
    checkUnixAddress(field, endpoint);
    return;
  }
  const parts = splitHostPort(endpoint);
  if (parts !== undefined && isPort(parts.port) && hostsOfWorkload.includes(parts.host)) return;
  const allowed = '127.0.0.1:port, 0.0.0.0:port, [::1]:port, [::]:port, :port or unix:///path';
  field.error('XEB0604', { problem: 'is not an address of the workload', got: endpoint, allowed });
}

function checkIngressTls(field: Field, tls: NonNullable<IngressListener['tls']>): void {
  for (const member of ['subjectAltNames', 'credentialName', 'credentialNames', 'tlsCertificates'] as const) {
    if ((tls[member] ?? '').length > 0) {
      field.at(member).error('XEB0606', { problem: 'is not possible in a sidecar', fix: 'use files' });
    }
  }
  if (tls.httpsRedirect === true) {
    field.at('httpsRedirect').error('XEB0606', { problem: 'is not possible in a sidecar', fix: 'remove it' });
  }
  if (tls.mode === 'ISTIO_MUTUAL' || tls.mode === 'AUTO_PASSTHROUGH') {
    field
      .at('mode')
      .error('XEB0606', { problem: 'is not possible in a sidecar', got: tls.mode, allowed: 'SIMPLE, MUTUAL' });
    return;
  }
  checkServerTls(field, tls);
}

function checkOutboundPolicy(field: Field, policy: SidecarSpec['outboundTrafficPolicy']): void {
  const proxy = policy?.egressProxy;
  if (proxy === undefined) return;
  const at = field.at('egressProxy');
  if (policy?.mode !== 'ALLOW_ANY') {
    at.error('XEB0607', { problem: 'needs mode ALLOW_ANY', got: policy?.mode, fix: 'set the mode' });
  }
  if (proxy.host.includes('*')) checkDnsName(at.at('host'), proxy.host);
  else checkDestination(at, proxy);
  if (proxy.port?.number === undefined) {
    at.at('port').error('XEB0607', { problem: 'is required and missing', fix: 'give a port' });
  }
}
