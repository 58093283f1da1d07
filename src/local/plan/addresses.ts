import { createHash } from 'node:crypto';

/** The node's own address on the bridge, where pods find the control plane. */
export const BRIDGE_ADDRESS = '10.244.0.1';
export const POD_PREFIX_LENGTH = 16;
/** The name server. Queries of pods with Envoy are captured on their way to it; it hears what Envoy does not know. */
export const DNS_ADDRESS = '10.96.0.10';

const RANGE = 65_536;
const POD_NETWORK = '10.244';
const SERVICE_NETWORK = '10.96';

/**
 * Virtual addresses of services by key. The address follows from the name, so that it is the same on every start; what was
 * once assigned stays, whatever comes or goes.
 */
export class ServiceAddresses {
  readonly #byKey = new Map<string, string>();
  readonly #taken = new Set<string>([DNS_ADDRESS]);

  /** Keeps an address that a file asks for out of the draw. */
  reserve(key: string, address: string): void {
    this.#forget(key);
    this.#byKey.set(key, address);
    this.#taken.add(address);
  }

  get(key: string): string {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    let offset = createHash('sha256').update(key).digest().readUInt16BE(0);
    while (!isUsable(offset) || this.#taken.has(addressAt(SERVICE_NETWORK, offset))) offset = (offset + 1) % RANGE;
    const address = addressAt(SERVICE_NETWORK, offset);
    this.#byKey.set(key, address);
    this.#taken.add(address);
    return address;
  }

  #forget(key: string): void {
    const known = this.#byKey.get(key);
    if (known !== undefined) this.#taken.delete(known);
  }
}

/** Addresses of pods, in order; one that was given back is the last to be used again, so that nobody still dials it. */
export class PodAddresses {
  readonly #taken = new Set<number>();
  #next = 2;

  take(): string {
    if (this.#taken.size >= RANGE - 300) throw new Error('no pod address is left');
    while (!isUsable(this.#next) || this.#next < 2 || this.#taken.has(this.#next))
      this.#next = (this.#next + 1) % RANGE;
    const offset = this.#next;
    this.#taken.add(offset);
    this.#next = (offset + 1) % RANGE;
    return addressAt(POD_NETWORK, offset);
  }

  giveBack(address: string): void {
    const [, , high, low] = address.split('.').map(Number);
    this.#taken.delete((high ?? 0) * 256 + (low ?? 0));
  }
}

/** Leaves out what looks like a network or broadcast address to a person. */
function isUsable(offset: number): boolean {
  return offset % 256 !== 0 && offset % 256 !== 255;
}

function addressAt(network: string, offset: number): string {
  return `${network}.${Math.floor(offset / 256)}.${offset % 256}`;
}
