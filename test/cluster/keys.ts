import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Authority, type Certificate, createAuthority } from '../support/certificates.ts';

/** The identities of one Kubernetes cluster, and the files that its programs read them from. */
export type ClusterKeys = {
  readonly authority: Authority;
  /** Of the group that may do everything. */
  readonly admin: Certificate;
  readonly files: {
    readonly authority: string;
    readonly authorityKey: string;
    readonly server: string;
    readonly serverKey: string;
    readonly admin: string;
    readonly adminKey: string;
    readonly tokens: string;
    readonly tokensKey: string;
  };
};

/** Makes and writes all keys; `names` are those under which clients reach the API server. */
export function createKeys(folder: string, names: readonly string[]): ClusterKeys {
  const authority = createAuthority('test cluster');
  const server = authority.issue(['kubernetes', ...names]);
  const admin = authority.issueToUser('admin', ['system:masters']);
  const tokens = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const write = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  return {
    authority,
    admin,
    files: {
      authority: write('authority.crt', authority.certificate),
      authorityKey: write('authority.key', authority.key),
      server: write('server.crt', server.certificate),
      serverKey: write('server.key', server.key),
      admin: write('admin.crt', admin.certificate),
      adminKey: write('admin.key', admin.key),
      tokens: write('tokens.pub', tokens.publicKey.export({ type: 'spki', format: 'pem' }).toString()),
      tokensKey: write('tokens.key', tokens.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()),
    },
  };
}
