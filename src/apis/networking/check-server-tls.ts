import type { Field } from '../finding.ts';
import { enumerate, quote } from '../schema/words.ts';
import { checkNoPem } from './check-no-pem.ts';
import type { ServerTls } from './networking.ts';

type Tls = ServerTls;

/** TLS of a Gateway server or of a Sidecar's ingress listener: certificates fit the mode, ciphers are known. */
export function checkServerTls(field: Field, tls: Tls): void {
  checkNoPem(field, tls, 'XEB0406');
  checkCiphers(field, tls);
  const { mode = 'PASSTHROUGH' } = tls;
  if (mode === 'ISTIO_MUTUAL') {
    checkIstioMutual(field, tls);
    return;
  }
  if (mode === 'PASSTHROUGH' || mode === 'AUTO_PASSTHROUGH') {
    warnUnused(field, tls, mode);
    return;
  }
  checkOneSource(field, tls);
  if (!hasCredential(tls)) checkFiles(field, tls, mode);
  if (tls.caCrl && mode === 'SIMPLE') {
    field.at('caCrl').error('XEB0406', { problem: 'has no use in mode SIMPLE', fix: 'use MUTUAL, or remove it' });
  }
  if (tls.caCrl && tls.credentialName) {
    field
      .at('caCrl')
      .error('XEB0406', { problem: 'cannot stand beside credentialName', fix: 'put the list into the secret' });
  }
}

function hasCredential(tls: Tls): boolean {
  return Boolean(tls.credentialName) || (tls.credentialNames ?? []).length > 0;
}

/** Istio's own certificates leave no room for others; for credentialName 1.4 looked away. */
function checkIstioMutual(field: Field, tls: Tls): void {
  const fix = 'remove it: mode ISTIO_MUTUAL has its own certificates';
  for (const member of [
    'serverCertificate',
    'privateKey',
    'caCertificates',
    'credentialNames',
    'tlsCertificates',
  ] as const) {
    if (isSet(tls[member])) field.at(member).error('XEB0406', { problem: 'cannot be set in mode ISTIO_MUTUAL', fix });
  }
  if (tls.credentialName) {
    field.at('credentialName').warn('XEB0406', { problem: 'is not used in mode ISTIO_MUTUAL', fix });
  }
}

const certificateMembers = [
  'serverCertificate',
  'privateKey',
  'caCertificates',
  'caCrl',
  'credentialName',
  'credentialNames',
  'tlsCertificates',
] as const;

function warnUnused(field: Field, tls: Tls, mode: string): void {
  for (const member of certificateMembers) {
    if (!isSet(tls[member])) continue;
    field.at(member).warn('XEB0406', { problem: `is not used in mode ${mode}`, fix: 'remove it, or change the mode' });
  }
}

/** One source of certificates; 1.4 let credentialName win over files, so that pair is only a warning. */
function checkOneSource(field: Field, tls: Tls): void {
  const sources: string[] = [];
  if (tls.serverCertificate && tls.privateKey) sources.push('serverCertificate');
  for (const member of ['credentialName', 'credentialNames', 'tlsCertificates'] as const) {
    if (isSet(tls[member])) sources.push(member);
  }
  if (sources.length < 2) return;
  const classicPair =
    sources.length === 2 && sources.includes('serverCertificate') && sources.includes('credentialName');
  const finding = { problem: `takes certificates from ${sources.join(' and ')}`, fix: 'keep one of them' };
  field.report(classicPair ? 'warning' : 'error', 'XEB0406', finding);
}

function checkFiles(field: Field, tls: Tls, mode: 'SIMPLE' | 'MUTUAL' | 'OPTIONAL_MUTUAL'): void {
  const pairs = tls.tlsCertificates ?? [];
  if (pairs.length === 0) checkPair(field, tls, mode);
  for (const [index, pair] of pairs.entries()) checkPair(field.at('tlsCertificates', index), pair, mode);
  if (pairs.length > 2) {
    field
      .at('tlsCertificates')
      .warn('XEB0406', { problem: `has ${pairs.length} pairs`, allowed: 'one RSA and one ECDSA' });
  }
  if (mode === 'SIMPLE' || tls.caCertificates || tls.caCertCredentialName) return;
  field
    .at('caCertificates')
    .error('XEB0405', { problem: `is missing for mode ${mode}`, fix: 'set it, or credentialName' });
}

type Pair = { readonly serverCertificate?: string | undefined; readonly privateKey?: string | undefined };

function checkPair(field: Field, pair: Pair, mode: string): void {
  for (const member of ['serverCertificate', 'privateKey'] as const) {
    if (pair[member]) continue;
    field.at(member).error('XEB0405', { problem: `is missing for mode ${mode}`, fix: 'set it, or credentialName' });
  }
}

/** What Envoy's BoringSSL can negotiate up to TLS 1.2. */
const cipherSuites: ReadonlySet<string> = new Set([
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-PSK-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-SHA',
  'ECDHE-RSA-AES128-SHA',
  'ECDHE-PSK-AES128-CBC-SHA',
  'ECDHE-ECDSA-AES256-SHA',
  'ECDHE-RSA-AES256-SHA',
  'ECDHE-PSK-AES256-CBC-SHA',
  'AES128-GCM-SHA256',
  'AES256-GCM-SHA384',
  'AES128-SHA',
  'AES256-SHA',
  'PSK-AES128-CBC-SHA',
  'PSK-AES256-CBC-SHA',
  'DES-CBC3-SHA',
]);

function checkCiphers(field: Field, tls: Tls): void {
  const suites = tls.cipherSuites ?? [];
  const { minProtocolVersion: least } = tls;
  if ((least === 'TLSV1_0' || least === 'TLSV1_1') && suites.length === 0) {
    const problem = 'is below TLS 1.2, for which no cipher suite is on by default';
    field.at('minProtocolVersion').warn('XEB0407', { problem, got: least, fix: 'list cipherSuites' });
  }
  for (const [index, suite] of suites.entries()) {
    const at = field.at('cipherSuites', index);
    if (!cipherSuites.has(suite)) {
      at.warn('XEB0407', {
        problem: 'is not known and is ignored',
        got: suite,
        allowed: enumerate([...cipherSuites], 4),
      });
    } else if (suites.indexOf(suite) !== index) {
      at.warn('XEB0407', { problem: `repeats ${quote(suite)}`, fix: 'remove it' });
    }
  }
}

function isSet(value: string | readonly unknown[] | undefined): boolean {
  return value !== undefined && value.length > 0;
}
