import type { Diagnostic } from '../../model/diagnostic.ts';
import type { ServiceKey } from '../../model/ids.ts';
import { refOf } from '../../model/object.ts';
import { type AddressCandidate, AutoAddresses } from './auto-addresses.ts';
import { diagnose } from './diagnose.ts';
import { createdAt } from './order.ts';
import type { ServiceSource } from './service-source.ts';

/** Which services want an automatic address. A host has one address, in however many namespaces it is a service. */
export class AutoAddressBook {
  readonly #addresses = new AutoAddresses();
  readonly #wishes = new Map<ServiceKey, ServiceSource>();
  readonly #keysByHost = new Map<string, Set<ServiceKey>>();
  readonly #candidates = new Map<string, AddressCandidate>();

  get(key: ServiceKey): string | undefined {
    const wish = this.#wishes.get(key);
    return wish === undefined ? undefined : this.#addresses.get(wish.hostname);
  }

  diagnostics(): readonly Diagnostic[] {
    return [...this.#addresses.waiting.keys()].flatMap((host) =>
      [...(this.#keysByHost.get(host) ?? [])].flatMap((key) => {
        const wish = this.#wishes.get(key);
        return wish === undefined ? [] : [complain(wish)];
      }),
    );
  }

  /** Takes what some services wish for now, and returns the services whose address is no longer the same. */
  update(wishes: Iterable<readonly [ServiceKey, ServiceSource | undefined]>): readonly ServiceKey[] {
    const hosts = new Set<string>();
    for (const [key, wish] of wishes) {
      const before = this.#wishes.get(key);
      if (before !== undefined) hosts.add(before.hostname);
      if (wish !== undefined) hosts.add(wish.hostname);
      this.#note(key, wish);
    }
    const moved = this.#allot(hosts);
    return [...moved].flatMap((host) => [...(this.#keysByHost.get(host) ?? [])]);
  }

  #note(key: ServiceKey, wish: ServiceSource | undefined): void {
    const before = this.#wishes.get(key);
    if (before !== undefined) this.#keysByHost.get(before.hostname)?.delete(key);
    if (wish === undefined) {
      this.#wishes.delete(key);
      return;
    }
    this.#wishes.set(key, wish);
    const keys = this.#keysByHost.get(wish.hostname) ?? new Set();
    this.#keysByHost.set(wish.hostname, keys.add(key));
  }

  #allot(hosts: ReadonlySet<string>): ReadonlySet<string> {
    const gone: AddressCandidate[] = [];
    const come: AddressCandidate[] = [];
    for (const host of hosts) {
      const before = this.#candidates.get(host);
      const next = this.#candidate(host);
      if (before?.createdAt === next?.createdAt) continue;
      if (before !== undefined) gone.push(before);
      if (next === undefined) {
        this.#candidates.delete(host);
        this.#keysByHost.delete(host);
      } else {
        this.#candidates.set(host, next);
        come.push(next);
      }
    }
    return this.#addresses.apply(gone, come);
  }

  #candidate(host: string): AddressCandidate | undefined {
    let oldest: number | undefined;
    for (const key of this.#keysByHost.get(host) ?? []) {
      const wish = this.#wishes.get(key);
      if (wish !== undefined) oldest = Math.min(oldest ?? Infinity, createdAt(wish.object));
    }
    return oldest === undefined ? undefined : { host, createdAt: oldest };
  }
}

function complain({ object, hostname }: ServiceSource): Diagnostic {
  return diagnose({
    level: 'warning',
    code: 'XEB2006',
    object: refOf(object),
    path: object.kind === 'ServiceEntry' ? ['spec', 'addresses'] : ['spec', 'clusterIP'],
    message: `no automatic address is left for ${hostname}; give the object an address`,
  });
}
