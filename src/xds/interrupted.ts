import type { Types } from './order.ts';
import { TypeUrls } from './type-urls.ts';

/** Proxies that are remembered; the oldest go first. */
const REMEMBERED = 10_000;

/**
 * Endpoints that a client may not have got before its stream broke off, by the node's id. Envoy keeps a changed cluster warming
 * until its endpoints arrive again, says on the next stream that it has both in their newest version, and would wait on.
 */
export class Interrupted {
  readonly #endpoints = new Map<string, ReadonlySet<string>>();

  remember(proxy: string, endpoints: ReadonlySet<string>): void {
    this.#endpoints.delete(proxy);
    if (endpoints.size === 0) return;
    this.#endpoints.set(proxy, endpoints);
    const [oldest] = this.#endpoints.keys();
    if (this.#endpoints.size > REMEMBERED && oldest !== undefined) this.#endpoints.delete(oldest);
  }

  take(proxy: string): ReadonlySet<string> {
    const endpoints = this.#endpoints.get(proxy) ?? new Set();
    this.#endpoints.delete(proxy);
    return endpoints;
  }
}

/** The endpoints that a client, gone now, may still wait for. */
export function unfinishedEndpoints(types: Types, before: ReadonlySet<string>): ReadonlySet<string> {
  const endpoints = types.get(TypeUrls.endpoint);
  const unread = endpoints?.inFlight?.resources ?? [];
  const clusters = types.get(TypeUrls.cluster)?.inFlight?.resources ?? [];
  const needed = clusters.flatMap(({ needs }) => needs).filter(({ typeUrl }) => typeUrl === TypeUrls.endpoint);
  return new Set([...before, ...(endpoints?.owed ?? []), ...[...unread, ...needed].map(({ name }) => name)]);
}
