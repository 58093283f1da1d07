import { millisOf } from '../duration.ts';
import { Field } from '../finding.ts';
import type { Issue } from '../issue.ts';
import { checkClientTls } from '../networking/check-client-tls.ts';
import { checkProbe } from '../networking/check-probe.ts';
import { checkRegex } from '../rules/matching.ts';
import { checkDuration, checkDurationOrOff, checkPort } from '../rules/scalars.ts';
import { checkRequiredAddress, checkServerAddress } from '../rules/server-address.ts';
import type { MeshProxyConfig, Tracing } from './proxy-config.ts';

/** `step` is where the configuration stands: `defaultConfig` in the mesh, nowhere in an annotation. */
export function validateMeshProxyConfig(proxy: MeshProxyConfig, step: string | undefined): readonly Issue[] {
  const issues: Issue[] = [];
  const field = Field.top(issues, step);
  checkNotEmpty(field, proxy);
  checkDrain(field, proxy);
  checkRequiredAddress(field.at('discoveryAddress'), proxy.discoveryAddress);
  checkServers(field, proxy);
  checkPort(field.at('proxyAdminPort'), proxy.proxyAdminPort);
  checkPort(field.at('statusPort'), proxy.statusPort);
  if (proxy.concurrency < 0) {
    const fix = 'give a number of threads, or 0 for one per core';
    field.at('concurrency').warn('XEB0904', { problem: 'is negative', got: proxy.concurrency, fix });
  }
  if (proxy.controlPlaneAuthPolicy === 'INHERIT') {
    field
      .at('controlPlaneAuthPolicy')
      .error('XEB0904', { problem: 'has nothing to inherit', allowed: 'NONE or MUTUAL_TLS' });
  }
  if (proxy.tracing !== undefined) checkTracing(field.at('tracing'), proxy.tracing);
  if (proxy.readinessProbe !== undefined) checkProbe(field.at('readinessProbe'), proxy.readinessProbe);
  field.at('proxyStatsMatcher', 'inclusionRegexps').each(proxy.proxyStatsMatcher?.inclusionRegexps, checkRegex);
  checkPrivateKeyProvider(field.at('privateKeyProvider'), proxy.privateKeyProvider);
  return issues;
}

function checkNotEmpty(field: Field, proxy: MeshProxyConfig): void {
  for (const member of ['configPath', 'binaryPath', 'serviceCluster'] as const) {
    if (proxy[member] !== '') continue;
    field.at(member).error('XEB0903', { problem: 'is empty', fix: 'set it, or remove it for the default' });
  }
}

const hour = 3_600_000;

function checkDrain(field: Field, proxy: MeshProxyConfig): void {
  const drain = field.at('drainDuration');
  checkDuration(drain, proxy.drainDuration);
  const millis = millisOf(proxy.drainDuration);
  if (millis >= 1 && millis % 1000 !== 0) {
    drain.error('XEB0902', { problem: 'is not whole seconds', got: proxy.drainDuration, fix: 'round it' });
  } else if (millis > hour) {
    drain.warn('XEB0902', { problem: 'is longer than an hour', got: proxy.drainDuration });
  }
  const parent = proxy.parentShutdownDuration;
  if (millisOf(parent) <= millis) {
    const problem = `is not longer than drainDuration ${proxy.drainDuration}`;
    field.at('parentShutdownDuration').warn('XEB0902', { problem, got: parent, fix: 'raise it' });
  }
  checkDurationOrOff(field.at('terminationDrainDuration'), proxy.terminationDrainDuration);
}

function checkServers(field: Field, proxy: MeshProxyConfig): void {
  checkServerAddress(field.at('statsdUdpAddress'), proxy.statsdUdpAddress);
  checkServerAddress(field.at('zipkinAddress'), proxy.zipkinAddress);
  checkServerAddress(field.at('envoyMetricsServiceAddress'), proxy.envoyMetricsServiceAddress);
  for (const member of ['envoyMetricsService', 'envoyAccessLogService'] as const) {
    checkServerAddress(field.at(member, 'address'), proxy[member]?.address);
    checkClientTls(field.at(member, 'tlsSettings'), proxy[member]?.tlsSettings);
  }
}

function checkTracing(field: Field, tracing: Tracing): void {
  const { zipkin, datadog, lightstep, openCensusAgent } = tracing;
  if (zipkin !== undefined) checkRequiredAddress(field.at('zipkin', 'address'), zipkin.address);
  if (datadog !== undefined) checkRequiredAddress(field.at('datadog', 'address'), datadog.address);
  if (lightstep !== undefined) checkLightstep(field.at('lightstep'), lightstep);
  if (openCensusAgent !== undefined && !openCensusAgent.address) {
    field
      .at('openCensusAgent', 'address')
      .warn('XEB0903', { problem: 'is empty, so nothing is traced', fix: 'give an address' });
  }
  if (tracing.sampling !== undefined && (tracing.sampling < 0 || tracing.sampling > 100)) {
    const problem = 'is not a percentage, so the default is used';
    field.at('sampling').warn('XEB0904', { problem, got: tracing.sampling, allowed: '0 to 100' });
  }
  checkClientTls(field.at('tlsSettings'), tracing.tlsSettings);
}

function checkLightstep(
  field: Field,
  { address, accessToken, secure, cacertPath }: NonNullable<Tracing['lightstep']>,
): void {
  checkRequiredAddress(field.at('address'), address);
  if (!accessToken) {
    field.at('accessToken').error('XEB0903', { problem: 'is required and empty', fix: 'give the token' });
  }
  if (secure === true && !cacertPath) {
    field
      .at('cacertPath')
      .error('XEB0903', { problem: 'is required when secure is true', fix: 'give the path of the CA' });
  }
}

function checkPrivateKeyProvider(field: Field, provider: MeshProxyConfig['privateKeyProvider']): void {
  for (const kind of ['cryptomb', 'qat'] as const) {
    const settings = provider?.[kind];
    if (settings === undefined) continue;
    const delay = settings.pollDelay ?? '0s';
    if (millisOf(delay) > 0) continue;
    field.at(kind, 'pollDelay').error('XEB0903', { problem: 'is required and more than 0', got: settings.pollDelay });
  }
}
