import { ALLOWED_NAMESPACES, type CredentialKey, type SecretSpec } from '../../apis/kubernetes/secret.ts';
import { memoByIdentity } from '../../kit/memo.ts';
import type { Result } from '../../kit/result.ts';
import type { CertificatePair, ClientAuthority, GatewaySecret, SecretPart } from '../../model/gateway-secret.ts';
import type { ConfigObject } from '../../model/object.ts';
import { refOf } from '../../model/object.ts';
import { judgeAuthority } from './judge-authority.ts';
import { judgePair } from './judge-pair.ts';

/** A Secret as it is now, whatever it was before. */
export const judgeSecret: (secret: ConfigObject<'Secret'>) => GatewaySecret = memoByIdentity(
  (secret: ConfigObject<'Secret'>) => ({
    ref: refOf(secret),
    pair: pairOf(secret.spec),
    authority: authorityOf(secret.spec),
    allowedNamespaces: namesIn(secret.meta.annotations[ALLOWED_NAMESPACES]),
  }),
);

type PairKeys = { readonly certificate: CredentialKey; readonly key: CredentialKey };

/** Istio's own names go before those of `kubernetes.io/tls`. */
const pairKeys: readonly PairKeys[] = [
  { certificate: 'cert', key: 'key' },
  { certificate: 'tls.crt', key: 'tls.key' },
];

function pairOf({ data }: SecretSpec): SecretPart<CertificatePair> {
  for (const names of pairKeys) {
    const certificate = data[names.certificate];
    const key = data[names.key];
    if (isFilled(certificate) && isFilled(key)) return partOf(judgePair({ certificate, key, names }));
  }
  const half = pairKeys.find((names) => isFilled(data[names.certificate]));
  if (half !== undefined) return { value: undefined, problem: `it has ${half.certificate}, but no ${half.key}` };
  return absent;
}

const authorityKeys = [
  { certificates: 'cacert', revocations: 'crl' },
  { certificates: 'ca.crt', revocations: 'ca.crl' },
] as const;

function authorityOf({ data }: SecretSpec): SecretPart<ClientAuthority> {
  for (const names of authorityKeys) {
    const certificates = data[names.certificates];
    const revocations = data[names.revocations];
    if (!isFilled(certificates)) continue;
    return partOf(
      judgeAuthority({ certificates, revocations: isFilled(revocations) ? revocations : undefined, names }),
    );
  }
  return absent;
}

const absent: SecretPart<never> = { value: undefined, problem: undefined };

function partOf<T>(judged: Result<T, string>): SecretPart<T> {
  return judged.ok ? { value: judged.value, problem: undefined } : { value: undefined, problem: judged.error };
}

/** Who makes Secrets for others fills in what it does not have with nothing. */
function isFilled(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}

function namesIn(list: string | undefined): readonly string[] {
  return (list ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
