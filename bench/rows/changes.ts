import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AdsClient, Arrival } from '../ads-client/ads-client.ts';
import type { Response } from '../ads-client/library.ts';
import { type MeshFile, stageEdit } from '../mesh/mesh-folder.ts';
import { quiesce, type Scene } from './scene.ts';

/** One edit and how to recognise that a client has it. */
export type Change = {
  readonly file: MeshFile;
  /** Whether a response brings exactly this change and nothing else. */
  readonly isIt: (response: Response) => boolean;
  /** Whether a response must follow from it at each proxy. */
  readonly follows?: (response: Response) => boolean;
};

export type ChangeTimes = {
  /** Per change and client, from the write until the last byte was at the client. */
  readonly arrivedMs: readonly number[];
  /** Per change and client, from the write until the client's confirmation was at its socket. */
  readonly confirmedMs: readonly number[];
  /** Responses that were not needed. */
  readonly surplus: readonly string[];
  /** The server's CPU per change. */
  readonly cpuMs: number;
  /** Bytes of one change at one client. */
  readonly bytes: number;
  /** For how long the server waited for a CPU, per change. */
  readonly waitedMs: number;
  /** Of the server's event loop. */
  readonly loop: { readonly p99Ms: number; readonly maxMs: number };
};

const PATIENCE_MS = 60_000;

/** Makes one change after the other, each when the one before has arrived everywhere and `gapMs` have passed. */
export async function measureChanges(
  scene: Scene,
  changes: readonly Change[],
  { gapMs }: { readonly gapMs: number },
): Promise<ChangeTimes> {
  const { server } = scene;
  await quiesce(server);
  await server.readLoop();
  const before = server.usage();
  const seen: Seen[] = [];
  for (const change of changes) {
    seen.push(await makeChange(scene, change));
    await sleep(gapMs);
  }
  const after = server.usage();
  return {
    arrivedMs: seen.flatMap(({ arrivedMs }) => arrivedMs),
    confirmedMs: seen.flatMap(({ confirmedMs }) => confirmedMs),
    surplus: seen.flatMap(({ surplus }) => surplus),
    bytes: seen[0]?.bytes ?? Number.NaN,
    cpuMs: (after.cpuMs - before.cpuMs) / changes.length,
    waitedMs: (after.waitedMs - before.waitedMs) / changes.length,
    loop: await server.readLoop(),
  };
}

type Seen = {
  readonly arrivedMs: readonly number[];
  readonly confirmedMs: readonly number[];
  readonly surplus: readonly string[];
  readonly bytes: number;
};

/** How long is waited for responses that should not come. */
const SURPLUS_MS = 100;

async function makeChange({ root, fleet }: Scene, { file, isIt, follows }: Change): Promise<Seen> {
  const arrived = new Map<AdsClient, number>();
  const confirmed = new Map<AdsClient, number>();
  const surplus: string[] = [];
  let bytes = 0;
  const done = Promise.withResolvers<void>();
  const onArrival = ({ client, response, at }: Arrival): void => {
    if (arrived.has(client) || !isIt(response)) {
      if (follows?.(response) !== true) surplus.push(describe(response));
      return;
    }
    arrived.set(client, at);
    bytes = response.bytes;
  };
  const onConfirmed = ({ client, response }: Arrival, at: number): void => {
    if (confirmed.has(client) || !isIt(response)) return;
    confirmed.set(client, at);
    if (confirmed.size === fleet.clients.length) done.resolve();
  };
  const edit = stageEdit(root, file);
  return await fleet.watch({ onArrival, onConfirmed }, async () => {
    const start = performance.now();
    edit.commit();
    const late = AbortSignal.timeout(PATIENCE_MS);
    const onLate = (): void =>
      done.reject(new Error(`${file.path}: ${confirmed.size} of ${fleet.clients.length} clients have the change`));
    late.addEventListener('abort', onLate, { once: true });
    await done.promise;
    late.removeEventListener('abort', onLate);
    await sleep(SURPLUS_MS);
    const since = (times: ReadonlyMap<AdsClient, number>): number[] => [...times.values()].map((at) => at - start);
    return { arrivedMs: since(arrived), confirmedMs: since(confirmed), surplus, bytes };
  });
}

function describe({ typeUrl, resources, removed }: Response): string {
  return `${typeUrl.slice(typeUrl.lastIndexOf('.') + 1)}: ${resources.length} sent, ${removed.length} removed`;
}
