import { compareText } from '../../kit/order.ts';

/** A host that wants an address. */
export type AddressCandidate = { readonly host: string; readonly createdAt: number };

/** 240.240.0.0/16 without addresses that end in 0 or 255: a block that nobody routes. */
const LAST_OCTETS = 254;
const SLOTS = 256 * LAST_OCTETS;

/**
 * One address per host, the place in the block being a hash of the name. Where two hosts meet, the older stays and the younger
 * moves on to the next free one (Amble and Knuth's ordered hashing): so the addresses depend on the hosts that exist and not
 * on the order in which they came, and a host that comes or goes moves at most its neighbours.
 */
export class AutoAddresses {
  readonly #slots = new Map<number, AddressCandidate>();
  readonly #slotByHost = new Map<string, number>();
  /** Hosts for which there was no room. */
  readonly #waiting = new Map<string, AddressCandidate>();

  get(host: string): string | undefined {
    const slot = this.#slotByHost.get(host);
    return slot === undefined ? undefined : addressOf(slot);
  }

  get waiting(): ReadonlyMap<string, AddressCandidate> {
    return this.#waiting;
  }

  /** Returns the hosts whose address is no longer the same. */
  apply(gone: readonly AddressCandidate[], come: readonly AddressCandidate[]): ReadonlySet<string> {
    const before = new Map<string, number | undefined>();
    for (const { host } of gone) this.#remove(host, before);
    const waiting = gone.length > 0 ? [...this.#waiting.values()] : [];
    for (const candidate of [...waiting, ...come]) this.#insert(candidate, before);
    return new Set([...before].filter(([host, slot]) => this.#slotByHost.get(host) !== slot).map(([host]) => host));
  }

  #remove(host: string, before: Map<string, number | undefined>): void {
    this.#waiting.delete(host);
    const slot = this.#slotByHost.get(host);
    if (slot === undefined) return;
    this.#clear(slot, host, before);
    // What comes after may stand there only because this slot was taken.
    const followers: AddressCandidate[] = [];
    for (let next = (slot + 1) % SLOTS; next !== slot; next = (next + 1) % SLOTS) {
      const follower = this.#slots.get(next);
      if (follower === undefined) break;
      followers.push(follower);
      this.#clear(next, follower.host, before);
    }
    for (const follower of followers) this.#insert(follower, before);
  }

  #insert(candidate: AddressCandidate, before: Map<string, number | undefined>): void {
    let homeless = candidate;
    this.#waiting.delete(homeless.host);
    let slot = slotOf(homeless.host);
    for (let steps = 0; steps < 2 * SLOTS; steps++) {
      const occupant = this.#slots.get(slot);
      if (occupant === undefined || compareCandidates(homeless, occupant) < 0) {
        if (occupant !== undefined) this.#clear(slot, occupant.host, before);
        this.#put(slot, homeless, before);
        if (occupant === undefined) return;
        homeless = occupant;
      }
      slot = (slot + 1) % SLOTS;
    }
    this.#waiting.set(homeless.host, homeless);
  }

  #put(slot: number, candidate: AddressCandidate, before: Map<string, number | undefined>): void {
    if (!before.has(candidate.host)) before.set(candidate.host, this.#slotByHost.get(candidate.host));
    this.#slots.set(slot, candidate);
    this.#slotByHost.set(candidate.host, slot);
  }

  #clear(slot: number, host: string, before: Map<string, number | undefined>): void {
    if (!before.has(host)) before.set(host, slot);
    this.#slots.delete(slot);
    this.#slotByHost.delete(host);
  }
}

function compareCandidates(a: AddressCandidate, b: AddressCandidate): number {
  return a.createdAt - b.createdAt || compareText(a.host, b.host);
}

function addressOf(slot: number): string {
  return `240.240.${Math.floor(slot / LAST_OCTETS)}.${1 + (slot % LAST_OCTETS)}`;
}

/** FNV-1a: spreads names that differ in one letter, and is the same everywhere. */
function slotOf(host: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < host.length; index++) {
    hash = Math.imul(hash ^ host.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash % SLOTS;
}
