import type { ClientTls } from '../../../apis/networking/networking.ts';
import type { SdsSecretConfig } from '../../../gen/types.ts';
import { err, ok, type Result } from '../../../kit/result.ts';
import type { GatewaySecret } from '../../../model/gateway-secret.ts';
import { type Built, originOf } from '../built.ts';
import {
  authorityCandidates,
  authorityResourceName,
  type CredentialName,
  pairResourceName,
  parseCredentialName,
} from '../secret/credential-name.ts';
import { type SecretType, sdsConfig } from '../secret/file-secret.ts';
import { type CredentialSite, findPart } from '../secret/find-part.ts';
import { buildInlineAuthority, buildPairSecret } from '../secret/inline-secret.ts';

/** What a client takes from the Secret that a policy names. */
export type ClientSecrets = {
  /** What it shows of itself, for mutual TLS. */
  readonly pair: SdsSecretConfig | undefined;
  /** Whom it trusts; undefined where the Secret does not say. */
  readonly authority: SdsSecretConfig | undefined;
  readonly secrets: readonly Built<SecretType>[];
  /** Secrets whose newest version is not in force, and why. */
  readonly troubles: readonly string[];
};

/** Or why it cannot be had: TLS without it would not be what the policy asks for. */
export function useClientSecrets(tls: ClientTls, site: CredentialSite): Result<ClientSecrets, string> {
  const parsed = parseCredentialName(tls.credentialName ?? '');
  if (!parsed.ok) return err(`credentialName ${tls.credentialName} ${parsed.error}`);
  const name = parsed.value;
  const isMutual = tls.mode === 'MUTUAL';
  const pair = isMutual ? usePair(name, site) : ok(undefined);
  if (!pair.ok) return pair;
  const authority = useAuthority(name, site, isMutual);
  if (!authority.ok) return authority;
  const used = [pair.value, authority.value].filter((part) => part !== undefined);
  return ok({
    pair: pair.value && sdsConfig(pair.value.secret.name),
    authority: authority.value && sdsConfig(authority.value.secret.name),
    secrets: used.map(({ secret }) => secret),
    troubles: used.flatMap(({ troubles }) => troubles),
  });
}

type Used = { readonly secret: Built<SecretType>; readonly troubles: readonly string[] };

function usePair(name: CredentialName, site: CredentialSite): Result<Used, string> {
  const found = findPart('pair', [name], site);
  if (found.kind === 'missing') return err(found.reason);
  const origins = [originOf(found.secret.ref, 'spec')];
  return ok({ secret: buildPairSecret(pairResourceName(name), found.value, origins), troubles: troubleOf(found) });
}

/** A pair may stand alone; a Secret for nothing but whom to trust must say it, and what is broken must not count as nothing. */
function useAuthority(name: CredentialName, site: CredentialSite, mayLack: boolean): Result<Used | undefined, string> {
  const found = findPart('authority', authorityCandidates(name), site);
  if (found.kind === 'missing') return mayLack && !saysSomethingBroken(name, site) ? ok(undefined) : err(found.reason);
  const origins = [originOf(found.secret.ref, 'spec')];
  const secret = buildInlineAuthority(authorityResourceName(name), found.value, origins);
  return ok({ secret, troubles: troubleOf(found) });
}

function saysSomethingBroken(name: CredentialName, { namespace, secrets }: CredentialSite): boolean {
  const keys = authorityCandidates(name).map((each) => `${each.namespace ?? namespace}/${each.name}`);
  const there = secrets.filter(({ ref }) => keys.includes(`${ref.namespace}/${ref.name}`));
  return there.some(({ authority: { problem } }) => problem !== undefined);
}

function troubleOf({ secret, problem }: { readonly secret: GatewaySecret; readonly problem: string | undefined }) {
  if (problem === undefined) return [];
  const { namespace, name } = secret.ref;
  return [
    `Secret ${namespace}/${name} cannot be used as it is now: ${problem}; the version from before stays in force`,
  ];
}
