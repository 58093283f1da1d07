import type { Field } from '../finding.ts';
import { checkNoPem } from './check-no-pem.ts';
import type { ClientTls } from './networking.ts';

/** Certificates by file or by credential, as the mode needs them. */
export function checkClientTls(field: Field, tls: ClientTls | undefined): void {
  if (tls === undefined) return;
  checkNoPem(field, tls, 'XEB0309');
  const { mode = 'DISABLE', credentialName } = tls;
  checkSkippedVerification(field, tls);
  const byCredential = (mode === 'SIMPLE' || mode === 'MUTUAL') && Boolean(credentialName);
  if (byCredential) {
    for (const file of ['clientCertificate', 'privateKey', 'caCertificates', 'caCrl'] as const) {
      if (tls[file]) {
        field.at(file).error('XEB0309', { problem: 'cannot stand beside credentialName', fix: 'keep one of them' });
      }
    }
    return;
  }
  if (mode !== 'MUTUAL') return;
  for (const file of ['clientCertificate', 'privateKey'] as const) {
    if (!tls[file]) {
      field.at(file).error('XEB0309', { problem: 'is missing for mode MUTUAL', fix: 'set it, or credentialName' });
    }
  }
}

function checkSkippedVerification(field: Field, tls: ClientTls): void {
  if (tls.insecureSkipVerify !== true || (tls.mode !== 'SIMPLE' && tls.mode !== 'MUTUAL')) return;
  const unused = [
    'caCertificates',
    'subjectAltNames',
    ...(tls.mode === 'SIMPLE' ? (['credentialName'] as const) : []),
  ] as const;
  for (const member of unused) {
    if ((tls[member] ?? '').length === 0) continue;
    field
      .at(member)
      .error('XEB0309', { problem: 'is not verified, because insecureSkipVerify is true', fix: 'keep one of them' });
  }
}
