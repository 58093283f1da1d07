import type { Clock } from '../../kit/clock.ts';
import { err, type Result } from '../../kit/result.ts';
import type { KnownKeys } from '../../model/mesh-security.ts';
import { ISSUER } from '../translate/jwt/key-address.ts';
import type { NeededKeys } from './needed-keys.ts';
import { isRecord, parseJson, parsePublicKeys } from './public-keys.ts';

/** Gets a page, within limits; an error is a sentence about it. */
export type FetchText = (url: string, timeoutMs: number, signal: AbortSignal) => Promise<Result<string, string>>;

/** For all that is fetched for one address. */
const LONGEST_MS = 5_000;

const DISCOVERY = '/.well-known/openid-configuration';

type FetchDeps = { readonly fetch: FetchText; readonly clock: Clock };

/** The keys of one address. Only what is public of them is ever kept. */
export async function fetchKeys(
  { address, timeoutMs = LONGEST_MS }: NeededKeys,
  { fetch, clock }: FetchDeps,
  signal: AbortSignal,
): Promise<KnownKeys> {
  const deadline = clock.monotonic() + Math.min(LONGEST_MS, timeoutMs);
  const get = (url: string): ReturnType<FetchText> => fetch(url, Math.max(1, deadline - clock.monotonic()), signal);
  const issuer = address.startsWith(ISSUER) ? address.slice(ISSUER.length) : undefined;
  const page = issuer === undefined ? await get(address) : await getOfIssuer(issuer, get);
  const keys = page.ok ? parsePublicKeys(page.value, { secretKeys: false }) : page;
  if (keys.ok) return { kind: 'known', jwks: keys.value };
  return { kind: 'unknown', reason: `${issuer === undefined ? address : discoveryOf(issuer)}: ${keys.error}` };
}

function discoveryOf(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}${DISCOVERY}`;
}

/** OpenID Connect Discovery 1.0, section 4: what the issuer says of itself names its keys. */
async function getOfIssuer(
  issuer: string,
  get: (url: string) => ReturnType<FetchText>,
): Promise<Result<string, string>> {
  const page = await get(discoveryOf(issuer));
  if (!page.ok) return page;
  const document = parseJson(page.value);
  if (!isRecord(document)) return err('what is there is no JSON object');
  // Section 4.3: else one issuer could speak for another.
  if (document['issuer'] !== issuer) return err('what is there is about another issuer');
  const { jwks_uri: keysAt } = document;
  if (typeof keysAt !== 'string') return err('what is there has no jwks_uri');
  const keys = await get(keysAt);
  return keys.ok ? keys : err(`its jwks_uri: ${keys.error}`);
}
