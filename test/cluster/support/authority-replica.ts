import { onTestFailed, onTestFinished } from 'vitest';
import { Authority, type AuthorityTimes } from '../../../src/citadel/authority/authority.ts';
import { evidenceIn } from '../../../src/citadel/authority/evidence.ts';
import { certificatesIn } from '../../../src/citadel/authority/pem.ts';
import { SecretStore } from '../../../src/citadel/authority/secret-store.ts';
import type { Clock } from '../../../src/kit/clock.ts';
import { systemClock } from '../../../src/kit/system-clock.ts';
import type { Reflect } from '../../../src/kube/reflection.ts';
import { Reflector } from '../../../src/kube/reflector.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { makePinoLogger } from '../../../src/telemetry/pino-logger.ts';
import { PromMetrics } from '../../../src/telemetry/prom-metrics.ts';
import { connectAs } from '../kube-copy.ts';

const DAY_MS = 86_400_000;
const times: AuthorityTimes = {
  rootLifetimeMs: 3650 * DAY_MS,
  announceMs: DAY_MS,
  longestLeafMs: 90 * DAY_MS,
  pollMs: 100,
};

/** The time of all replicas of a test: as it is, and some days on. */
export class ShiftedClock implements Clock {
  shiftMs = 0;

  now(): number {
    return systemClock.now() + this.shiftMs;
  }

  monotonic(): number {
    return systemClock.monotonic() + this.shiftMs;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return systemClock.sleep(ms, signal);
  }

  yield(): Promise<void> {
    return systemClock.yield();
  }
}

export type AuthorityState = { readonly signer: string; readonly roots: readonly string[] };

/** The authority of one replica on a real API server, until the end of the test. */
export class AuthorityReplica {
  readonly authority: Authority;
  readonly log: string[] = [];
  leads: boolean;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  private constructor(authority: Authority, state: { readonly log: string[]; readonly leads: boolean }) {
    this.authority = authority;
    this.log = state.log;
    this.leads = state.leads;
    this.#running = authority.run(this.#stop.signal);
  }

  static async start(inputs: {
    readonly kubeconfig: string;
    readonly namespace: string;
    readonly clock?: Clock;
    readonly leads?: boolean;
  }): Promise<AuthorityReplica> {
    const { kubeconfig, namespace, clock = systemClock, leads = true } = inputs;
    const kube = await connectAs(kubeconfig);
    const metrics = new PromMetrics();
    const reflect: Reflect = (reflection) =>
      new Reflector({ api: kube, clock: systemClock, random: Math.random, log: silentLogger, metrics }, reflection);
    const log: string[] = [];
    const secret = (name: string): SecretStore => new SecretStore({ kube, reflect, namespace, secret: name });
    const made: { replica: AuthorityReplica | undefined } = { replica: undefined };
    const authority = new Authority({
      plugged: secret('cacerts'),
      own: secret('istio-ca-secret'),
      evidence: evidenceIn(kube, namespace),
      rootFile: undefined,
      trustDomain: { current: () => 'cluster.local', onChange: () => () => undefined },
      keeps: true,
      isLeader: () => made.replica?.leads ?? leads,
      times,
      clock,
      log: makePinoLogger('info', (line) => log.push(line)),
      metrics,
    });
    const replica = new AuthorityReplica(authority, { log, leads });
    made.replica = replica;
    onTestFailed(() => console.error(log.join('')));
    onTestFinished(() => replica.stop());
    return replica;
  }

  /** Who signs and what is trusted, by fingerprints; nothing without an issuer. */
  get state(): AuthorityState | undefined {
    const issuer = this.authority.current();
    if (issuer === undefined) return undefined;
    const read = (pem: string): readonly string[] => (certificatesIn(pem) ?? []).map((each) => each.fingerprint256);
    return { signer: read(issuer.signer.certificate)[0] ?? '', roots: read(issuer.roots).toSorted() };
  }

  get problem(): string {
    return this.authority.problem() ?? '';
  }

  /** How often something was logged. */
  count(text: string): number {
    return this.log.filter((line) => line.includes(text)).length;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
}
