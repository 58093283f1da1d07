import { onTestFinished } from 'vitest';
import { LocalDistribution } from '../../../../src/app/status/local-distribution.ts';
import { MeshDistribution, type Peers } from '../../../../src/app/status/mesh-distribution.ts';
import { StatusController } from '../../../../src/galley/status/status-controller.ts';
import type { ManualClock } from '../../../../src/kit/manual-clock.ts';
import { makePinoLogger } from '../../../../src/telemetry/pino-logger.ts';
import type { Manifest } from '../../pilot/support/manifests.ts';
import { TestProcess } from '../../pilot/support/process.ts';
import { FakeKube, FakeLeadership } from './fake-kube.ts';

/** A control plane whose objects are in a (false) Kubernetes API: what is written of an object comes back by its watch. */
export class WrittenMesh {
  readonly mesh: TestProcess;
  readonly kube: FakeKube;
  readonly leadership = new FakeLeadership();
  readonly log: string[] = [];
  readonly #clock: ManualClock;
  readonly #bodies = new Map<string, Manifest>();

  private constructor(mesh: TestProcess, clock: ManualClock) {
    this.mesh = mesh;
    this.#clock = clock;
    this.kube = new FakeKube(() => clock.monotonic());
    this.kube.onWrite = ({ metadata, status }) => {
      const { namespace, name, resourceVersion } = metadata as Record<string, string>;
      const before = this.#bodies.get(`${namespace}/${name}`);
      if (before === undefined) return;
      const own = before['metadata'] as Manifest;
      this.#keep({ ...before, metadata: { ...own, resourceVersion }, status: status as Manifest });
    };
  }

  static async start(
    objects: readonly Manifest[],
    clock: ManualClock,
    { leads = true, peers = { addresses: () => [] } }: { leads?: boolean; peers?: Peers } = {},
  ): Promise<WrittenMesh> {
    const mesh = await TestProcess.start(objects, { clock });
    const written = new WrittenMesh(mesh, clock);
    for (const object of objects) written.#bodies.set(nameOf(object), object);
    if (leads) written.leadership.lead();
    written.#run(peers);
    return written;
  }

  async apply(...objects: readonly Manifest[]): Promise<void> {
    for (const object of objects) this.#bodies.set(nameOf(object), object);
    await this.mesh.apply(...objects);
  }

  /** Applies an object without waiting for anybody. */
  send(object: Manifest): void {
    this.#keep(object);
  }

  /** An object as the API has it now. */
  body(name: string): Manifest {
    return this.#bodies.get(name) ?? {};
  }

  /** Lets time pass, and everything happen that happens meanwhile. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 100) {
      await this.#clock.advance(Math.min(100, left));
      for (let turn = 0; turn < 5; turn += 1) await this.#clock.yield();
    }
  }

  #keep(object: Manifest): void {
    this.#bodies.set(nameOf(object), object);
    this.mesh.source.apply(object);
  }

  #run(peers: Peers): void {
    const { galley, pilot, xds, verdicts } = this.mesh.xebec;
    const clock = this.#clock;
    const log = makePinoLogger('info', (line) => this.log.push(line));
    const local = new LocalDistribution({ pilot, xds, reports: verdicts, config: () => galley.snapshot(), clock });
    const controller = new StatusController({
      feed: {
        objects: () => galley.objects(),
        diagnostics: () => galley.diagnostics(),
        isSynced: () => galley.synced,
        onDiagnostics: (listener) => galley.onDiagnostics(listener),
      },
      distribution: new MeshDistribution({ local, peers, clock, log }),
      kubernetes: { api: this.kube, leadership: this.leadership, events: this.kube },
      clock,
      log,
    });
    const stop = new AbortController();
    const running = controller.run(stop.signal);
    onTestFinished(async () => {
      stop.abort();
      await running;
    });
  }
}

function nameOf(object: Manifest): string {
  const { namespace, name } = object['metadata'] as Record<string, string>;
  return `${namespace}/${name}`;
}
