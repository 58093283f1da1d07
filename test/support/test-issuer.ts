import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identityFiles } from '../../src/citadel/identity-files.ts';
import { type Issuer, issueIdentity } from '../../src/citadel/issuer.ts';
import { createAuthority } from '../../src/citadel/x509/authority.ts';
import type { Identity } from '../../src/model/identity.ts';

const HOUR_MS = 3_600_000;

/** An authority of a test, as Citadel makes its own. */
export function createTestIssuer(trustDomain = 'cluster.local'): Issuer {
  const now = Date.now();
  const validity = { notBefore: now - HOUR_MS, notAfter: now + 24 * HOUR_MS };
  const signer = createAuthority({ subject: { organization: trustDomain }, validity });
  return { signer, intermediates: '', roots: signer.certificate, trustDomain };
}

/** The files of a proxy's identity, in a folder that its Envoy reads. */
export function writeIdentity(
  folder: string,
  identity: Pick<Identity, 'namespace' | 'serviceAccount'>,
  issuer: Issuer,
): void {
  mkdirSync(folder, { recursive: true });
  const issued = issueIdentity(issuer, { identity, now: Date.now(), lifetimeMs: 12 * HOUR_MS });
  for (const [name, text] of Object.entries(identityFiles(issued, folder))) writeFileSync(join(folder, name), text);
}
