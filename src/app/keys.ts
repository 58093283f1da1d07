import { readFile } from 'node:fs/promises';
import { guardedGet } from '../http/guarded-get.ts';
import { err } from '../kit/result.ts';
import type { FetchText } from '../pilot/keys/fetch-keys.ts';
import { Keys } from '../pilot/keys/keys.ts';
import type { AssembleInputs } from './assemble.ts';

const MOST_BYTES = 1_000_000;
const MOST_REDIRECTS = 3;

/** What fetches the keys of token issuers, from wherever the process may. */
export function makeKeys({ config, clock, random, log, metrics }: AssembleInputs): Keys {
  const { jwksCa, jwksAllowedCidrs: allowed } = config;
  const limits = { maxBytes: MOST_BYTES, maxRedirects: MOST_REDIRECTS };
  const fetch: FetchText = async (url, timeoutMs, signal) => {
    const authorities = jwksCa === undefined ? undefined : await readAuthorities(jwksCa);
    // The file may be there again next time: who else is trusted would be a guess.
    if (authorities instanceof Error) return err('the file of --jwks-ca cannot be read');
    const asked = { url, timeoutMs, ...limits, filter: { allowed }, setting: '--jwks-allowed-cidrs', authorities };
    return guardedGet(asked, { clock }, signal);
  };
  return new Keys({ fetch, clock, random, log: log.child({ component: 'keys' }), metrics });
}

/** Each time anew: authorities change. */
function readAuthorities(file: string): Promise<string | Error> {
  return readFile(file, 'utf8').catch((cause: unknown) => new Error(`cannot read ${file}`, { cause }));
}
