import { request } from 'node:https';
import type { ListenAddress } from './listen.ts';

const TIMEOUT_MS = 3_000;

/** How a process reaches what it listens on itself. */
const ownAddress: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/**
 * Gets a page of this process' own HTTPS server over a new connection; rejects unless it is answered with 200. Whose certificate
 * that is does not matter to somebody who talks to itself.
 */
export function probeOwnHttps({ host, port }: ListenAddress, path: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { host: ownAddress[host] ?? host, port, path, agent: false, rejectUnauthorized: false, signal };
    const call = request({ ...options, timeout: TIMEOUT_MS }, (response) => {
      response.resume();
      if (response.statusCode === 200) resolve();
      else reject(new Error(`${path} answers ${response.statusCode}`));
    });
    call.on('timeout', () => call.destroy(new Error(`${path} does not answer`)));
    call.on('error', reject);
    call.end();
  });
}
