import { IDENTITY_FOLDER, identityFiles } from '../citadel/identity-files.ts';
import { type IssuerSource, issueIdentity } from '../citadel/issuer.ts';
import { memoByIdentity } from '../kit/memo.ts';
import { type Identity, spiffeId } from '../model/identity.ts';

/** Where a pod has the files of its identity. */
export const POD_IDENTITY_FOLDER = IDENTITY_FOLDER;

/** What proves who a pod is: files by name. */
export type PodIdentityFiles = {
  readonly files: Readonly<Record<string, string>>;
  readonly spiffeId: string;
  readonly notAfter: number;
};

export type PodAccount = Pick<Identity, 'namespace' | 'serviceAccount'>;

/** Makes identities, always by the same authority, with the same roots: when one of them changes there is another signer. */
export type PodSigner = (account: PodAccount, now: number) => PodIdentityFiles;

export interface PodSignerSource {
  /** Undefined until somebody signs. */
  current(): PodSigner | undefined;
  /** Returns how to stop. */
  onChange(listener: () => void): () => void;
}

/** Identities as pods on Kubernetes have them in their Secrets, for whoever puts pods together himself. */
export function podSigners(issuers: IssuerSource, lifetimeMs: number): PodSignerSource {
  const signerOf = memoByIdentity((issuer: NonNullable<ReturnType<IssuerSource['current']>>): PodSigner => {
    return (identity, now) => {
      const issued = issueIdentity(issuer, { identity, now, lifetimeMs });
      return {
        files: identityFiles(issued, IDENTITY_FOLDER),
        spiffeId: spiffeId({ trustDomain: issuer.trustDomain, ...identity }),
        notAfter: issued.notAfter,
      };
    };
  });
  return {
    current: () => {
      const issuer = issuers.current();
      return issuer && signerOf(issuer);
    },
    onChange: (listener) => issuers.onChange(listener),
  };
}
