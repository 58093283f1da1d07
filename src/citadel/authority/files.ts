/** What an authority is kept as: texts by the names that they have in a Secret, and in a folder. */
export type AuthorityFiles = Readonly<Record<string, string>>;

/** Classic names first, then those of `kubernetes.io/tls`. */
export const fileNames = {
  certificate: ['ca-cert.pem', 'tls.crt'],
  key: ['ca-key.pem', 'tls.key'],
  chain: ['cert-chain.pem'],
  roots: ['root-cert.pem', 'ca.crt'],
  revoked: ['ca-crl.pem'],
  /** The root that is announced, and is to sign next. */
  nextCertificate: ['next-ca-cert.pem'],
  nextKey: ['next-ca-key.pem'],
  /** How far the rotation is. */
  rotation: ['rotation.json'],
} as const;

export type FilePart = keyof typeof fileNames;

/** Empty for what is missing. */
export function textOf(files: AuthorityFiles, part: FilePart): string {
  const name = fileNames[part].find((each) => hasText(files, each));
  return name === undefined ? '' : (files[name] ?? '');
}

/** Whether there is anything: an installer may have left a Secret for us to fill. */
export function isEmpty(files: AuthorityFiles): boolean {
  return !Object.keys(files).some((name) => hasText(files, name));
}

function hasText(files: AuthorityFiles, name: string): boolean {
  return (files[name] ?? '').trim() !== '';
}
