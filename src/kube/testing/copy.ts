import { expect, onTestFinished } from 'vitest';
import { ManualClock } from '../../kit/manual-clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { KubeObject } from '../api.ts';
import { nameOf } from '../json.ts';
import type { ReflectionChange, ReflectionState } from '../reflection.ts';
import { Reflector } from '../reflector.ts';
import { connected } from './connected.ts';
import type { Respond } from './fake-api-server.ts';

export const gateways = { group: 'networking.istio.io', version: 'v1', plural: 'gateways' };

/** What of a gateway the copy keeps. */
export type Kept = { readonly key: string; readonly spec: unknown };

/** An object of the fake cluster. */
export function gateway(name: string, spec: unknown = 0, namespace = 'shop'): KubeObject {
  return { metadata: { namespace, name, managedFields: ['much'] }, spec };
}

export function keep(object: KubeObject): Kept {
  const { namespace, name } = nameOf(object);
  return { key: `${namespace}/${name}`, spec: object['spec'] };
}

/** A log that counts its lines per level and message. */
export function countingLog(): { readonly log: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  const line = (level: string) => (_: unknown, message: string) => void lines.push(`${level} ${message}`);
  const log: Logger = {
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    child: () => log,
  };
  return { log, lines };
}

type CopyOptions = {
  readonly random?: () => number;
  readonly namespace?: string;
  readonly project?: (object: KubeObject) => Kept | undefined;
  /** Called before a change is taken; may throw. */
  readonly before?: (change: ReflectionChange<Kept>) => void;
};

/** A copy of the gateways of a fake API server, kept by a reflector in time that stands still, over real connections. */
export async function copyOf(respond: Respond, options: CopyOptions = {}) {
  // Of the pauses between attempts, and of what is on the wire.
  const clock = new ManualClock();
  const wire = new ManualClock();
  const { log, lines } = countingLog();
  const { server, api, metrics } = await connected(respond, { clock: wire, log });
  const kept = new Map<string, Kept>();
  const changes: ReflectionChange<Kept>[] = [];
  const states: ReflectionState[] = [];
  const synced = { count: 0 };
  const reflector = new Reflector<Kept>(
    { api, clock, random: options.random ?? Math.random, log, metrics },
    {
      type: gateways,
      namespace: options.namespace ?? '',
      selectors: {},
      project: options.project ?? keep,
      keyOf: (object) => keep(object).key,
      onChange: (change) => {
        options.before?.(change);
        changes.push(change);
        for (const upsert of change.upserts) kept.set(upsert.key, upsert);
        for (const key of change.deletes) kept.delete(key);
      },
      onSynced: () => void (synced.count += 1),
      onState: (state) => void states.push(state),
    },
  );
  const stop = new AbortController();
  const running = reflector.run(stop.signal);
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
  };
  onTestFinished(end);
  const specs = (): Readonly<Record<string, unknown>> =>
    Object.fromEntries([...kept].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, { spec }]) => [key, spec]));
  const requests = (isWatch: boolean): number =>
    server.requests.filter(({ query }) => (query.get('watch') === 'true') === isWatch).length;
  /** Waits until the reflector pauses, and lets time go on until the pause is over, or for so long. */
  const pause = async (ms: number, stepMs = 1_000): Promise<void> => {
    await expect.poll(() => clock.sleeping, { interval: 2 }).toBe(1);
    for (let left = ms; left > 0 && clock.sleeping === 1; left -= stepMs) await clock.advance(Math.min(stepMs, left));
  };
  return { clock, wire, pause, server, metrics, lines, kept, changes, states, synced, specs, requests, end };
}
