import { millisOf } from '../duration.ts';
import { Field } from '../finding.ts';
import type { Issue } from '../issue.ts';
import { isDnsLabel } from '../names.ts';
import { checkLocalityLb } from '../networking/check-locality-lb.ts';
import { checkWildcardHost } from '../rules/names.ts';
import { checkDuration, checkDurationOrOff, checkOptionalPort, checkPort } from '../rules/scalars.ts';
import { checkServerAddress } from '../rules/server-address.ts';
import { checkExtensionProviders } from './check-extension-providers.ts';
import { cipherSuites } from './ciphers.ts';
import { configSourceForms, parseConfigSource } from './config-source.ts';
import type { MeshConfig } from './mesh-config.ts';
import { validateMeshProxyConfig } from './validate-proxy-config.ts';

export function validateMeshConfig(mesh: MeshConfig): readonly Issue[] {
  const issues: Issue[] = [];
  const field = Field.top(issues);
  checkPorts(field, mesh);
  checkTimes(field, mesh);
  checkServerAddress(field.at('mixerCheckServer'), mesh.mixerCheckServer);
  checkServerAddress(field.at('mixerReportServer'), mesh.mixerReportServer);
  field.at('configSources').each(mesh.configSources, (at, { address }) => checkConfigSource(at.at('address'), address));
  checkLocalityLb(field.at('localityLbSetting'), mesh.localityLbSetting, { outlierDetection: true });
  checkTrustDomain(field.at('trustDomain'), mesh.trustDomain);
  field.at('trustDomainAliases').each(mesh.trustDomainAliases, checkTrustDomain);
  field
    .at('serviceSettings')
    .each(mesh.serviceSettings, (at, { hosts }) => at.at('hosts').each(hosts, checkWildcardHost));
  field.at('discoverySelectors').each(mesh.discoverySelectors, checkDiscoverySelector);
  for (const list of exportLists) field.at(list).each(mesh[list], checkExportEntry);
  checkExtensionProviders(field, mesh);
  checkTls(field, mesh);
  checkAccessLog(field, mesh);
  warnDead(field, mesh);
  issues.push(...validateMeshProxyConfig(mesh.defaultConfig, 'defaultConfig'));
  return issues;
}

function checkPorts(field: Field, mesh: MeshConfig): void {
  checkPort(field.at('proxyListenPort'), mesh.proxyListenPort);
  checkPort(field.at('proxyInboundListenPort'), mesh.proxyInboundListenPort);
  checkOptionalPort(field.at('proxyHttpPort'), mesh.proxyHttpPort);
}

const hour = 3_600_000;

function checkTimes(field: Field, mesh: MeshConfig): void {
  checkDuration(field.at('connectTimeout'), mesh.connectTimeout);
  if (millisOf(mesh.connectTimeout) > hour) {
    field
      .at('connectTimeout')
      .error('XEB0109', { problem: 'is too long', got: mesh.connectTimeout, allowed: '1ms to 1h' });
  }
  checkDurationOrOff(field.at('protocolDetectionTimeout'), mesh.protocolDetectionTimeout);
  checkDuration(field.at('dnsRefreshRate'), mesh.dnsRefreshRate);
  checkDuration(field.at('tcpKeepalive', 'time'), mesh.tcpKeepalive?.time);
  checkDuration(field.at('tcpKeepalive', 'interval'), mesh.tcpKeepalive?.interval);
  checkDurationOrOff(field.at('reportBatchMaxTime'), mesh.reportBatchMaxTime);
  checkDuration(field.at('ca', 'requestTimeout'), mesh.ca?.requestTimeout);
}

const LONGEST_DOMAIN = 255;

function checkTrustDomain(field: Field, domain: string): void {
  const labels = domain.replace(/\.$/, '').split('.');
  // In other letters no certificate can have it: SPIFFE IDs are compared byte by byte.
  if (labels.every(isDnsLabel) && domain === domain.toLowerCase() && domain.length <= LONGEST_DOMAIN) return;
  field.error('XEB0907', {
    problem: 'is not a trust domain',
    got: domain,
    allowed: 'a DNS name in lower-case letters',
  });
}

function checkConfigSource(field: Field, address: string | undefined): void {
  if (!address || parseConfigSource(address).ok) return;
  field.error('XEB0901', {
    problem: 'is not the address of a config source',
    got: address,
    allowed: configSourceForms,
  });
}

const exportLists = [
  'defaultServiceExportTo',
  'defaultVirtualServiceExportTo',
  'defaultDestinationRuleExportTo',
] as const;

function checkExportEntry(field: Field, entry: string): void {
  if (['.', '*', '~'].includes(entry) || isDnsLabel(entry)) return;
  field.error('XEB0111', { problem: 'is not a namespace', got: entry, allowed: 'a namespace, ., * or ~' });
}

const operators: readonly string[] = ['In', 'NotIn', 'Exists', 'DoesNotExist'];

function checkDiscoverySelector(
  field: Field,
  { matchExpressions }: NonNullable<MeshConfig['discoverySelectors']>[number],
): void {
  field.at('matchExpressions').each(matchExpressions, (at, { operator, values = [] }) => {
    if (!operators.includes(operator)) {
      at.at('operator').error('XEB0904', {
        problem: 'is not an operator',
        got: operator,
        allowed: operators.join(', '),
      });
    } else if (operator.endsWith('In') !== values.length > 0) {
      const allowed = operator.endsWith('In') ? 'at least one' : 'none';
      at.at('values').error('XEB0904', { problem: `do not fit operator ${operator}`, got: values, allowed });
    }
  });
}

const curves: readonly string[] = ['P-256', 'P-384', 'P-521', 'X25519', 'X25519MLKEM768'];

function checkTls(field: Field, { meshMTLS, tlsDefaults }: MeshConfig): void {
  if (meshMTLS?.ecdhCurves !== undefined) {
    field
      .at('meshMTLS', 'ecdhCurves')
      .error('XEB0904', { problem: 'cannot be set for mesh mTLS', fix: 'use tlsDefaults' });
  }
  for (const [name, tls] of Object.entries({ meshMTLS, tlsDefaults })) {
    field.at(name, 'cipherSuites').each(tls?.cipherSuites, (at, suite) => {
      if (cipherSuites.has(suite)) return;
      const problem = 'is no cipher suite of TLS 1.2 that Envoy knows, and is left out';
      at.warn('XEB0904', { problem, got: suite, allowed: [...cipherSuites].slice(0, 4).join(', ') });
    });
  }
  field.at('tlsDefaults', 'ecdhCurves').each(tlsDefaults?.ecdhCurves, (at, curve) => {
    if (!curves.includes(curve)) {
      at.warn('XEB0904', { problem: 'is not a known curve', got: curve, allowed: curves.join(', ') });
    }
  });
}

function checkAccessLog(field: Field, { accessLogEncoding, accessLogFormat }: MeshConfig): void {
  if (accessLogEncoding !== 'JSON' || accessLogFormat === '' || isJsonObject(accessLogFormat)) return;
  const problem = 'is not a JSON object, so the default format is used';
  field
    .at('accessLogFormat')
    .warn('XEB0904', { problem, fix: 'write an object of texts, or use accessLogEncoding TEXT' });
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** Fields that nothing reads any more, and why. */
const dead = [
  ['authPolicy', 'use PeerAuthentication or MeshPolicy'],
  ['rdsRefreshDelay', 'configuration is pushed'],
  ['sdsRefreshDelay', 'configuration is pushed'],
  ['mixerAddress', 'use mixerCheckServer and mixerReportServer'],
  ['sdsUdsPath', 'certificates come from files that are watched'],
  ['enableSdsTokenMount', 'certificates come from files that are watched'],
  ['sdsUseK8sSaJwt', 'certificates come from files that are watched'],
  ['sidecarToTelemetrySessionAffinity', 'remove it'],
] as const;

function warnDead(field: Field, mesh: MeshConfig): void {
  for (const [member, fix] of dead) {
    const value = mesh[member];
    if (value === undefined || value === '' || value === false || value === 'NONE') continue;
    field.at(member).warn('XEB0118', { problem: 'has no effect any more', fix });
  }
}
