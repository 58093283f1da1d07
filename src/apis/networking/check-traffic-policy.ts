import { isIp } from '../address.ts';
import type { Field } from '../finding.ts';
import { isDnsName } from '../names.ts';
import {
  checkCount,
  checkCounts,
  checkDuration,
  checkDurationOrOff,
  checkPercent,
  checkPort,
  warnDeprecated,
} from '../rules/scalars.ts';
import { checkClientTls } from './check-client-tls.ts';
import { checkLoadBalancer } from './check-load-balancer.ts';
import type { ConnectionPool, OutlierDetection, PortTrafficPolicy, TrafficPolicy } from './networking.ts';

const policyMembers = [
  'loadBalancer',
  'connectionPool',
  'outlierDetection',
  'tls',
  'portLevelSettings',
  'tunnel',
  'proxyProtocol',
  'retryBudget',
] as const;

const portMembers = ['loadBalancer', 'connectionPool', 'outlierDetection', 'tls'] as const;

export function checkTrafficPolicy(field: Field, policy: TrafficPolicy | undefined): void {
  if (policy === undefined) return;
  if (policyMembers.every((member) => policy[member] === undefined)) {
    field.error('XEB0301', {
      problem: 'sets nothing',
      allowed: policyMembers.join(', '),
      fix: 'set one, or remove it',
    });
  }
  if (policy.tunnel !== undefined && policy.proxyProtocol !== undefined) {
    field.at('proxyProtocol').error('XEB0302', { problem: 'cannot stand beside tunnel', fix: 'keep one of them' });
  }
  checkCommon(field, policy);
  field.at('portLevelSettings').each(policy.portLevelSettings, checkPortPolicy);
  checkTunnel(field.at('tunnel'), policy.tunnel);
  checkPercent(field.at('retryBudget', 'percent'), policy.retryBudget?.percent);
}

function checkPortPolicy(field: Field, policy: PortTrafficPolicy): void {
  if (portMembers.every((member) => policy[member] === undefined)) {
    field.error('XEB0301', {
      problem: 'sets nothing for its port',
      allowed: portMembers.join(', '),
      fix: 'set one, or remove it',
    });
  }
  checkCommon(field, policy);
}

function checkCommon(field: Field, policy: Pick<TrafficPolicy, (typeof portMembers)[number]>): void {
  checkOutlierDetection(field.at('outlierDetection'), policy.outlierDetection);
  checkConnectionPool(field.at('connectionPool'), policy.connectionPool);
  checkLoadBalancer(field.at('loadBalancer'), policy.loadBalancer, policy.outlierDetection);
  checkClientTls(field.at('tls'), policy.tls);
}

function checkTunnel(field: Field, tunnel: TrafficPolicy['tunnel']): void {
  if (tunnel === undefined) return;
  const { protocol, targetHost, targetPort } = tunnel;
  if (protocol && protocol !== 'CONNECT' && protocol !== 'POST') {
    field
      .at('protocol')
      .error('XEB0310', { problem: 'is not a way to tunnel', got: protocol, allowed: 'CONNECT or POST' });
  }
  if (!isDnsName(targetHost) && !isIp(targetHost)) {
    field
      .at('targetHost')
      .error('XEB0310', { problem: 'is not a host', got: targetHost, allowed: 'a host name or an IP address' });
  }
  checkPort(field.at('targetPort'), targetPort);
}

function checkOutlierDetection(field: Field, outlier: OutlierDetection | undefined): void {
  if (outlier === undefined) return;
  checkDuration(field.at('interval'), outlier.interval);
  checkDuration(field.at('baseEjectionTime'), outlier.baseEjectionTime);
  checkPercent(field.at('maxEjectionPercent'), outlier.maxEjectionPercent);
  checkPercent(field.at('minHealthPercent'), outlier.minHealthPercent);
  if (outlier.consecutiveErrors) {
    if (outlier.consecutiveErrors < 0) {
      field.at('consecutiveErrors').warn('XEB0118', { problem: 'is negative, so it is not used', fix: 'remove it' });
    }
    warnDeprecated(field.at('consecutiveErrors'), 'consecutiveGatewayErrors or consecutive5xxErrors');
  }
  if (outlier.consecutiveLocalOriginFailures && outlier.splitExternalLocalOriginErrors !== true) {
    const fix = 'set splitExternalLocalOriginErrors to true';
    field.at('consecutiveLocalOriginFailures').error('XEB0302', { problem: 'is not counted', fix });
  }
}

export function checkConnectionPool(field: Field, pool: ConnectionPool | undefined): void {
  if (pool === undefined) return;
  const { http, tcp } = pool;
  if (http === undefined && tcp === undefined) {
    field.error('XEB0301', { problem: 'sets nothing', allowed: 'tcp, http', fix: 'set one, or remove it' });
  }
  if (http !== undefined) checkHttpPool(field.at('http'), http);
  if (tcp !== undefined) checkTcpPool(field.at('tcp'), tcp);
}

function checkHttpPool(field: Field, http: NonNullable<ConnectionPool['http']>): void {
  checkCounts(field, http, [
    'http1MaxPendingRequests',
    'http2MaxRequests',
    'maxRequestsPerConnection',
    'maxRetries',
    'maxConcurrentStreams',
  ]);
  checkDuration(field.at('idleTimeout'), http.idleTimeout);
  if (http.h2UpgradePolicy === 'UPGRADE' && http.useClientProtocol === true) {
    field
      .at('useClientProtocol')
      .error('XEB0302', { problem: 'cannot stand beside h2UpgradePolicy UPGRADE', fix: 'keep one of them' });
  }
}

function checkTcpPool(field: Field, tcp: NonNullable<ConnectionPool['tcp']>): void {
  checkCount(field.at('maxConnections'), tcp.maxConnections);
  checkDuration(field.at('connectTimeout'), tcp.connectTimeout);
  checkDuration(field.at('maxConnectionDuration'), tcp.maxConnectionDuration);
  checkDurationOrOff(field.at('idleTimeout'), tcp.idleTimeout);
  checkDuration(field.at('tcpKeepalive', 'time'), tcp.tcpKeepalive?.time);
  checkDuration(field.at('tcpKeepalive', 'interval'), tcp.tcpKeepalive?.interval);
}
