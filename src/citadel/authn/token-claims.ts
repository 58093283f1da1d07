import { err, ok, type Result } from '../../kit/result.ts';

/** A token of Kubernetes has about 1 KiB. */
const MOST_CHARACTERS = 16 * 1024;

export type TokenRules = { readonly audiences: readonly string[]; readonly now: number };

/**
 * When a token ends, by its own word: nothing is proven by that. Only tokens that are meant for us, and end, are worth asking the API
 * server about; those that Kubernetes once gave to every account are for anybody, and forever.
 */
export function readTokenExpiry(token: string, { audiences, now }: TokenRules): Result<number, string> {
  if (token.length > MOST_CHARACTERS) return err(`the token has more than ${MOST_CHARACTERS} characters`);
  const claims = readPayload(token);
  if (claims === undefined) return err('the token is no JWT');
  const { aud, exp } = claims;
  const meantFor = (Array.isArray(aud) ? aud : [aud]).filter((each) => typeof each === 'string');
  if (meantFor.length === 0) return err('the token names no audience: legacy tokens are not taken');
  if (!meantFor.some((each) => audiences.includes(each))) return err('the token is meant for others');
  if (typeof exp !== 'number' || !Number.isFinite(exp)) return err('the token never ends: legacy tokens are not taken');
  const expiry = exp * 1000;
  return expiry > now ? ok(expiry) : err('the token has expired');
}

function readPayload(token: string): { readonly aud?: unknown; readonly exp?: unknown } | undefined {
  const [, payload, ...rest] = token.split('.');
  if (payload === undefined || rest.length !== 1) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
    return typeof claims === 'object' && claims !== null ? claims : undefined;
  } catch {
    return undefined;
  }
}
