import type { Distribution, DistributionFacts, ObjectDistribution } from '../../galley/status/distribution.ts';
import { httpGet } from '../../http/http-client.ts';
import type { Clock } from '../../kit/clock.ts';
import { sameItems } from '../../kit/memo.ts';
import type { ObjectKey } from '../../model/ids.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { readDistributionText } from './distribution-text.ts';
import type { LocalDistribution } from './local-distribution.ts';

/** The other replicas: `host:port` of the admin pages of each. */
export interface Peers {
  addresses(): readonly string[];
}

export type MeshDistributionDeps = {
  readonly local: LocalDistribution;
  readonly peers: Peers;
  readonly clock: Clock;
  readonly log: Logger;
};

type Told = NonNullable<ReturnType<typeof readDistributionText>>;

const TIMEOUT_MS = 2_000;
const MAX_BYTES = 64_000_000;

/** What the proxies of all replicas have. A replica that does not answer in time is counted as silent, and waited for no longer. */
export class MeshDistribution implements DistributionFacts {
  readonly #deps: MeshDistributionDeps;
  /** What each peer said last, so that it need not say it again. */
  readonly #told = new Map<string, Told>();
  readonly #silent = new Set<string>();
  #sum: { readonly parts: readonly object[]; readonly distribution: Distribution } | undefined;

  constructor(deps: MeshDistributionDeps) {
    this.#deps = deps;
  }

  get isMoved(): boolean {
    return this.#deps.local.isMoved;
  }

  async read(withPeers: boolean, signal: AbortSignal): Promise<Distribution> {
    const { local, peers } = this.#deps;
    const addresses = withPeers ? peers.addresses() : [];
    const [own, ...answers] = await Promise.all([
      local.read(),
      ...addresses.map((address) => this.#ask(address, signal)),
    ]);
    for (const address of [...this.#told.keys()]) if (!addresses.includes(address)) this.#told.delete(address);
    const heard = answers.filter((answer) => answer !== undefined);
    if (addresses.length === 0) return own;
    const parts = [own, ...heard];
    const replicas = 1 + addresses.length;
    if (this.#sum?.distribution.replicas === replicas && sameItems(this.#sum.parts, parts))
      return this.#sum.distribution;
    const objects = addUp(parts.map((part) => part.objects));
    const silent = addresses.length - heard.length;
    const distribution = { objects, isBehind: parts.some(({ isBehind }) => isBehind), replicas, silent };
    this.#sum = { parts, distribution };
    return distribution;
  }

  async #ask(address: string, signal: AbortSignal): Promise<Told | undefined> {
    const { clock, log } = this.#deps;
    const known = this.#told.get(address);
    const stop = new AbortController();
    void clock.sleep(TIMEOUT_MS, AbortSignal.any([signal, stop.signal])).then(() => stop.abort());
    try {
      const url = `http://${address}/debug/distributionz?have=${encodeURIComponent(known?.version ?? '')}`;
      const { status, body } = await httpGet(url, MAX_BYTES, stop.signal);
      const told = status === 200 ? readDistributionText(body) : undefined;
      if (told === undefined) throw new Error(`an answer that is none (status ${status})`);
      const newest = newestOf(known, told);
      this.#told.set(address, newest);
      if (this.#silent.delete(address)) log.info({ replica: address }, 'replica says again what its proxies have');
      return newest;
    } catch (error) {
      if (!signal.aborted && !this.#silent.has(address))
        log.warn({ replica: address, error }, 'replica does not say what its proxies have');
      this.#silent.add(address);
      return undefined;
    } finally {
      stop.abort();
    }
  }
}

/** Of objects that are known already nothing is told again. */
function newestOf(known: Told | undefined, told: Told): Told {
  if (told.version !== known?.version) return told;
  return told.isBehind === known.isBehind ? known : { ...known, isBehind: told.isBehind };
}

type Objects = ReadonlyMap<ObjectKey, ObjectDistribution>;

/** Counts of the newest generation add up; who has not heard of it is to get it. */
function addUp(all: readonly Objects[]): Objects {
  const sum = new Map<ObjectKey, ObjectDistribution>();
  for (const objects of all) {
    for (const [key, each] of objects) {
      const known = sum.get(key);
      sum.set(key, known === undefined ? each : add(known, each));
    }
  }
  return sum;
}

function add(a: ObjectDistribution, b: ObjectDistribution): ObjectDistribution {
  const [newer, other] = (a.generation ?? 0) >= (b.generation ?? 0) ? [a, b] : [b, a];
  if (newer.generation !== other.generation)
    return { ...newer, undecided: newer.undecided + other.undecided + other.known };
  return {
    generation: newer.generation,
    object: newer.object ?? other.object,
    known: a.known + b.known,
    programmed: a.programmed + b.programmed,
    pending: a.pending + b.pending,
    heldBack: a.heldBack + b.heldBack,
    refused: a.refused + b.refused,
    undecided: a.undecided + b.undecided,
    refusals: [...a.refusals, ...b.refusals].slice(0, 3),
  };
}
