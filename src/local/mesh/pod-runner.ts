import { HEALTH_PORT, READY_PATH } from '../../injector/bootstrap-listeners.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Kill } from '../local-io.ts';
import type { PodState } from '../plan/objects.ts';
import type { PodPlan } from '../plan/pod-plan.ts';
import { socketGet } from '../socket-get.ts';
import { buildAppProcesses, buildEnvoyProcess, type PodPlacement, type ProcessSetting } from './envoy-process.ts';
import { readListeningPorts } from './listening-ports.ts';
import { type Identities, type IdentityReport, PodIdentity } from './pod-identity.ts';
import type { PodNetworks, PodPlace } from './pod-network.ts';
import { ProcessKeeper } from './process-keeper.ts';

export type PodDeps = {
  readonly networks: PodNetworks;
  readonly setting: ProcessSetting;
  readonly identities: Identities;
  readonly clock: Clock;
  readonly kill: Kill;
  readonly log: Logger;
  /** Something about a pod moved: its readiness, a restart. */
  readonly onChange: () => void;
};

/** How a pod is, for a person. */
export type PodReport = {
  readonly name: string;
  readonly namespace: string;
  readonly deployment: string;
  readonly address: string;
  readonly kind: PodPlan['kind'];
  readonly ready: boolean;
  readonly readyParts: number;
  readonly parts: number;
  readonly restarts: number;
  readonly status: string;
  readonly adminSocket: string | undefined;
  /** Who it is to others; undefined for a pod without Envoy, and before it has one. */
  readonly identity: IdentityReport | undefined;
  /** Holds the pod's namespaces, numbered as inside the mesh. */
  readonly pid: number | undefined;
  readonly createdAt: number;
};

const POLL_STARTING_MS = 50;
const POLL_READY_MS = 1_000;
const RETRY_CREATE_MS = 2_000;

type Part = { readonly keeper: ProcessKeeper; readonly ports: readonly number[] };

/**
 * One pod: namespaces, Envoy, containers, and whether they take traffic. Containers start when Envoy is ready, as beside a
 * native sidecar, so that their first call finds its way.
 */
export class PodRunner {
  readonly plan: PodPlan;
  readonly address: string;
  readonly #createdAt: number;
  readonly #deps: PodDeps;
  #place: PodPlace | undefined;
  #identity: PodIdentity | undefined;
  #envoy: ProcessKeeper | undefined;
  #apps: readonly Part[] = [];
  #readyParts = 0;
  #isEnvoyReady = false;
  #isTerminating = false;
  #trouble: string | undefined;

  constructor(inputs: { readonly plan: PodPlan; readonly address: string }, deps: PodDeps) {
    this.plan = inputs.plan;
    this.address = inputs.address;
    this.#deps = deps;
    this.#createdAt = deps.clock.now();
  }

  get state(): PodState {
    return {
      plan: this.plan,
      address: this.address,
      ready: this.isReady,
      terminating: this.#isTerminating,
      createdAt: this.#createdAt,
    };
  }

  get isReady(): boolean {
    return this.#readyParts === this.#parts;
  }

  get #parts(): number {
    return (this.plan.kind === 'none' ? 0 : 1) + this.plan.containers.length;
  }

  get report(): PodReport {
    const keepers = [...(this.#envoy === undefined ? [] : [this.#envoy]), ...this.#apps.map(({ keeper }) => keeper)];
    const { name, namespace, deployment, kind } = this.plan;
    return {
      name,
      namespace,
      deployment,
      kind,
      address: this.address,
      ready: this.isReady,
      readyParts: this.#readyParts,
      parts: this.#parts,
      restarts: keepers.reduce((sum, keeper) => sum + keeper.restarts, 0),
      status: this.#statusText(keepers),
      adminSocket: kind === 'none' ? undefined : this.#deps.networks.folderOf(this.plan).adminSocket,
      identity: this.#identity?.report,
      pid: this.#place?.pid,
      createdAt: this.#createdAt,
    };
  }

  /** Its endpoints go, but it goes on serving until its signal aborts. */
  beginTermination(): void {
    this.#isTerminating = true;
    this.#deps.onChange();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { networks, log } = this.#deps;
    while (!signal.aborted) {
      const place = await this.#create(signal);
      if (place === undefined) return;
      const lost = new AbortController();
      // Somebody killed the process that holds the namespaces: nothing can enter them any more, so begin anew.
      place.holder.once('exit', () => lost.abort());
      try {
        await this.#runProcesses(
          { plan: this.plan, address: this.address, place },
          AbortSignal.any([signal, lost.signal]),
        );
      } finally {
        this.#forget();
        await networks.destroy(place);
      }
    }
    log.info({ pod: this.plan.name, namespace: this.plan.namespace }, 'pod removed');
  }

  #forget(): void {
    this.#place = undefined;
    this.#identity = undefined;
    this.#envoy = undefined;
    this.#apps = [];
    this.#isEnvoyReady = false;
    this.#readyParts = 0;
    this.#deps.onChange();
  }

  async #create(signal: AbortSignal): Promise<PodPlace | undefined> {
    const { networks, clock, log } = this.#deps;
    while (!signal.aborted) {
      try {
        this.#place = await networks.create(this.plan, this.address);
        return this.#place;
      } catch (cause) {
        this.#trouble = 'no network';
        log.error({ pod: this.plan.name, error: String(cause) }, 'a pod’s network cannot be made; trying again');
        this.#deps.onChange();
        await clock.sleep(RETRY_CREATE_MS, signal);
      }
    }
    return undefined;
  }

  async #runProcesses(placement: PodPlacement, signal: AbortSignal): Promise<void> {
    const { setting } = this.#deps;
    const running: Promise<void>[] = [];
    if (this.plan.kind !== 'none') {
      this.#identity = new PodIdentity({ plan: this.plan, folder: placement.place.folder.identity }, this.#deps);
      running.push(this.#identity.run(signal));
      // An Envoy that finds no files waits for them to be moved, and takes nobody in meanwhile.
      await this.#identity.ready(signal);
    }
    if (this.plan.kind !== 'none' && !signal.aborted) {
      this.#envoy = new ProcessKeeper(buildEnvoyProcess(placement, setting), this.#deps);
      running.push(this.#envoy.run(signal));
      await this.#waitForEnvoy(signal);
    }
    if (!signal.aborted) {
      this.#apps = buildAppProcesses(placement, setting).map((spec, index) => ({
        keeper: new ProcessKeeper(spec, this.#deps),
        ports: this.plan.containers[index]?.ports ?? [],
      }));
      running.push(...this.#apps.map(({ keeper }) => keeper.run(signal)));
      running.push(this.#watchReadiness(signal));
    }
    await Promise.all(running);
  }

  async #waitForEnvoy(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#look();
      if (this.#isEnvoyReady) return;
      await this.#deps.clock.sleep(POLL_STARTING_MS, signal);
    }
  }

  async #watchReadiness(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#look();
      await this.#deps.clock.sleep(this.isReady ? POLL_READY_MS : POLL_STARTING_MS, signal);
    }
  }

  /** Counts the parts that are ready, and tells when that changed. */
  async #look(): Promise<void> {
    this.#isEnvoyReady = this.plan.kind !== 'none' && (await this.#askEnvoy());
    const apps = await Promise.all(this.#apps.map(isPartReady));
    const readyParts = apps.filter(Boolean).length + (this.#isEnvoyReady ? 1 : 0);
    if (readyParts === this.#readyParts) return;
    this.#readyParts = readyParts;
    this.#deps.onChange();
  }

  async #askEnvoy(): Promise<boolean> {
    if (this.#envoy?.pid === undefined) return false;
    const reply = await socketGet({ host: this.address, port: HEALTH_PORT }, READY_PATH);
    return reply?.status === 200;
  }

  #statusText(keepers: readonly ProcessKeeper[]): string {
    if (this.#isTerminating) return 'Terminating';
    if (this.isReady) return this.#identity?.trouble === undefined ? 'Running' : 'Running (certificate not renewed)';
    return this.#waitingForIdentity() ?? this.#waitingForProcesses(keepers);
  }

  #waitingForIdentity(): string | undefined {
    if (this.#identity === undefined || this.#identity.report !== undefined) return undefined;
    return this.#identity.trouble === undefined ? 'waiting for its identity' : `no identity: ${this.#identity.trouble}`;
  }

  #waitingForProcesses(keepers: readonly ProcessKeeper[]): string {
    if (this.#trouble !== undefined && keepers.length === 0) return this.#trouble;
    const failed = keepers.find(({ pid, lastExit }) => pid === undefined && lastExit !== undefined);
    if (failed?.lastExit !== undefined) return `CrashLoopBackOff (${failed.lastExit})`;
    return this.plan.kind !== 'none' && !this.#isEnvoyReady ? 'waiting for Envoy' : 'waiting for the app';
  }
}

async function isPartReady({ keeper, ports }: Part): Promise<boolean> {
  const { pid } = keeper;
  if (pid === undefined) return false;
  const listening = ports.length === 0 ? new Set<number>() : await readListeningPorts(pid);
  return ports.every((port) => listening.has(port));
}
