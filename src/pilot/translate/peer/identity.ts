import type { CommonTlsContext, ConfigSource, SdsSecretConfig, SubjectAltNameMatcher } from '../../../gen/types.ts';
import { ApiVersion } from '../../../gen/types.ts';
import type { MutualTlsSettings } from './settings.ts';

/**
 * A proxy's own certificate and the roots it trusts, read from the descriptors that Citadel writes beside them. Envoy reads them again
 * when the folder's content is replaced, so that a new certificate needs neither a restart nor a push.
 */
export function buildIdentityContext(
  folder: string,
  { parameters }: MutualTlsSettings,
  peers: readonly SubjectAltNameMatcher[],
): Pick<CommonTlsContext, 'tlsParams' | 'tlsCertificateSdsSecretConfigs'> & {
  readonly combinedValidationContext: NonNullable<CommonTlsContext['combinedValidationContext']>;
} {
  return {
    tlsParams: parameters,
    tlsCertificateSdsSecretConfigs: [secretOf(folder, 'default', 'sds-cert.yaml')],
    combinedValidationContext: {
      defaultValidationContext: { matchTypedSubjectAltNames: peers },
      validationContextSdsSecretConfig: secretOf(folder, 'ROOTCA', 'sds-root.yaml'),
    },
  };
}

function secretOf(folder: string, name: string, file: string): SdsSecretConfig {
  const sdsConfig: ConfigSource = {
    pathConfigSource: { path: `${folder}/${file}`, watchedDirectory: { path: folder } },
    resourceApiVersion: ApiVersion.V3,
  };
  return { name, sdsConfig };
}
