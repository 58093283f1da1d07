import { lookup as lookUp } from 'node:dns';
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { request as requestOverTls } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { getCACertificates } from 'node:tls';
import type { Clock } from '../kit/clock.ts';
import { err, ok, type Result } from '../kit/result.ts';
import { type AddressFilter, closedBecause } from './address-filter.ts';
import { request } from './node-http.ts';

export type GuardedGet = {
  readonly url: string;
  /** For everything: names, connections, redirects, the body. */
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly maxRedirects: number;
  readonly filter: AddressFilter;
  /** The setting that opens addresses, for whoever reads why one was not asked. */
  readonly setting: string;
  /** Authorities to trust beside those of the system, as PEM. */
  readonly authorities: string | undefined;
};

export type GuardedGetDeps = {
  readonly clock: Clock;
  /** Node's own, but in tests of names that lead elsewhere each time. */
  readonly lookup?: typeof lookUp;
};

type Hop = { readonly kind: 'body'; readonly text: string } | { readonly kind: 'redirect'; readonly to: string };

/** Says in words why there is no answer. */
class Refusal extends Error {}

/**
 * GETs a page whose address somebody named who may not be trusted with our place in the network. The address is looked at after the name was
 * resolved, and the connection is made to the very address that was looked at; so it is again with each redirect. No proxy, no cookies,
 * no compressed answers, and never more of it in memory than is allowed. An error is a sentence.
 */
export async function guardedGet(
  asked: GuardedGet,
  deps: GuardedGetDeps,
  signal: AbortSignal,
): Promise<Result<string, string>> {
  const stop = new AbortController();
  const all = AbortSignal.any([signal, stop.signal]);
  const late = deps.clock.sleep(asked.timeoutMs, all).then((): Result<string, string> => {
    return err(signal.aborted ? 'it was given up' : 'there was no whole answer in time');
  });
  try {
    return await Promise.race([late, follow(asked, deps, all)]);
  } finally {
    stop.abort();
  }
}

async function follow(asked: GuardedGet, deps: GuardedGetDeps, signal: AbortSignal): Promise<Result<string, string>> {
  let url = parseUrl(asked.url, undefined);
  for (let hops = 0; url.ok; hops += 1) {
    const hop = await getOnce(url.value, { asked, deps, signal });
    if (!hop.ok) return hop;
    if (hop.value.kind === 'body') return ok(hop.value.text);
    if (hops >= asked.maxRedirects) return err(`it redirects more than ${asked.maxRedirects} times`);
    url = parseUrl(hop.value.to, url.value);
  }
  return url;
}

const MOST_CHARACTERS = 2_048;

function parseUrl(text: string, base: URL | undefined): Result<URL, string> {
  if (text.length > MOST_CHARACTERS || !URL.canParse(text, base?.href)) return err('the address is not a URL');
  const url = new URL(text, base);
  const from = base === undefined ? '' : 'it redirects to what is not asked: ';
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return err(`${from}the address is neither http nor https`);
  if (url.username !== '' || url.password !== '') return err(`${from}the address has a user or password`);
  if (base?.protocol === 'https:' && url.protocol === 'http:') return err('it redirects from https to http');
  return ok(url);
}

type HopInputs = { readonly asked: GuardedGet; readonly deps: GuardedGetDeps; readonly signal: AbortSignal };

async function getOnce(url: URL, inputs: HopInputs): Promise<Result<Hop, string>> {
  try {
    return ok(await exchange(url, inputs));
  } catch (error) {
    return err(wordsOf(error, url));
  }
}

function exchange(url: URL, { asked, deps, signal }: HopInputs): Promise<Hop> {
  const { filter, setting, maxBytes } = asked;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0) refuseClosed(host, filter, setting);
  return new Promise((resolve, reject) => {
    const options: RequestOptions = {
      method: 'GET',
      signal,
      agent: false,
      headers: { accept: 'application/json', 'accept-encoding': 'identity', 'user-agent': 'xebec' },
      lookup: guardedLookup(deps.lookup ?? lookUp, filter, setting),
    };
    const onAnswer = (answer: IncomingMessage): void => {
      readHop(answer, maxBytes).then(resolve, (error: unknown) => {
        asking.destroy();
        reject(error instanceof Error ? error : new Refusal('the answer broke off'));
      });
    };
    const asking = start(url, { ...options, ...tlsOptions(url, asked.authorities) }, onAnswer);
    asking.on('socket', (socket) => {
      // Whatever led here: it is the address at the other end that counts.
      socket.once('connect', () => {
        const reason = closedBecause(socket.remoteAddress ?? '', filter);
        if (reason !== undefined) asking.destroy(refusalOf(socket.remoteAddress ?? host, reason, setting));
      });
    });
    asking.on('error', reject);
    asking.end();
  });
}

function start(url: URL, options: RequestOptions, onAnswer: (answer: IncomingMessage) => void): ClientRequest {
  return url.protocol === 'https:' ? requestOverTls(url, options, onAnswer) : request(url, options, onAnswer);
}

/** The environment may ask to verify nothing; it is not asked. */
function tlsOptions({ protocol }: URL, authorities: string | undefined): object {
  if (protocol !== 'https:') return {};
  const known = [...getCACertificates('bundled'), ...getCACertificates('system')];
  return { rejectUnauthorized: true, ca: authorities === undefined ? known : [...known, authorities] };
}

/** Resolves a name to those of its addresses that may be asked. */
function guardedLookup(resolve: typeof lookUp, filter: AddressFilter, setting: string): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { all: true, order: 'ipv4first', family: options.family ?? 0 }, (error, found) => {
      if (error !== null) {
        callback(error, []);
        return;
      }
      const open = found.filter(({ address }) => closedBecause(address, filter) === undefined);
      const [first] = found;
      if (open.length > 0) callback(null, open);
      else if (first === undefined) callback(new Refusal(`${hostname} has no address`), []);
      else callback(refusalOf(first.address, closedBecause(first.address, filter) ?? '', setting, hostname), []);
    });
  };
}

function refuseClosed(address: string, filter: AddressFilter, setting: string): void {
  const reason = closedBecause(address, filter);
  if (reason !== undefined) throw refusalOf(address, reason, setting);
}

function refusalOf(address: string, reason: string, setting: string, hostname?: string): Refusal {
  const what = hostname === undefined ? address : `${hostname} has the address ${address}, which`;
  const example = `${setting}=${address}/${isIP(address) === 6 ? 128 : 32}`;
  return new Refusal(`${what} is ${reason}, and so is not asked; allow it with ${setting}, such as ${example}`);
}

const redirects: readonly (number | undefined)[] = [301, 302, 303, 307, 308];

async function readHop(answer: IncomingMessage, maxBytes: number): Promise<Hop> {
  const { statusCode, headers } = answer;
  if (redirects.includes(statusCode) && headers.location !== undefined) {
    answer.destroy();
    return { kind: 'redirect', to: headers.location };
  }
  if (statusCode !== 200) throw new Refusal(`the answer is ${statusCode}`);
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') throw new Refusal('the answer is compressed, which nobody asked for');
  const tooLarge = new Refusal(`the answer has more than ${maxBytes} bytes`);
  if (Number(headers['content-length'] ?? 0) > maxBytes) throw tooLarge;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge;
    chunks.push(chunk);
  }
  return { kind: 'body', text: Buffer.concat(chunks).toString('utf8') };
}

/** What others say in their errors is not repeated but for its code: it may hold what a tenant should not see. */
function wordsOf(error: unknown, { host }: URL): string {
  if (error instanceof Refusal) return error.message;
  const code = codeOf(error);
  return `${host} cannot be asked${code === undefined ? '' : ` (${code})`}`;
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  // With several addresses the error of each is inside.
  const errors: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
  const [first] = errors;
  const code = first instanceof Error && 'code' in first ? first.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
