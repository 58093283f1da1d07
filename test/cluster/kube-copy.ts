import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../src/kit/clock.ts';
import { systemClock } from '../../src/kit/system-clock.ts';
import type { KubeObject, ResourceType } from '../../src/kube/api.ts';
import { connectKubeApi, type KubeConnection } from '../../src/kube/connect.ts';
import { nameOf } from '../../src/kube/json.ts';
import type { ReflectionState } from '../../src/kube/reflection.ts';
import { Reflector } from '../../src/kube/reflector.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { PromMetrics } from '../../src/telemetry/prom-metrics.ts';

/** Ends when a test, or whoever else has begun it, is over. */
export type AtEnd = (end: () => Promise<void> | void) => void;

/** Whoever a kubeconfig says, until the end of the test. */
export async function connectAs(
  kubeconfig: string,
  { clock = systemClock, atEnd = onTestFinished }: { readonly clock?: Clock; readonly atEnd?: AtEnd } = {},
): Promise<KubeConnection> {
  const made = await connectKubeApi({
    access: { kind: 'kubeconfig', path: kubeconfig },
    clock,
    log: silentLogger,
    metrics: new PromMetrics(),
    userAgent: 'xebec-test',
  });
  if (!made.ok) throw new Error(made.error);
  atEnd(() => made.value.close());
  return made.value;
}

type CopyInputs = {
  readonly api: KubeConnection;
  readonly type: ResourceType;
  readonly namespace?: string;
  /** What of an object is compared. */
  readonly read?: (object: KubeObject) => unknown;
  readonly atEnd?: AtEnd;
};

/** A copy of what a real API server has, until the end of the test. */
export function keepCopy({ api, type, namespace = '', read = () => true, atEnd = onTestFinished }: CopyInputs) {
  const metrics = new PromMetrics();
  const objects = new Map<string, unknown>();
  const deletes: string[] = [];
  const states: ReflectionState[] = [];
  const synced = { count: 0 };
  const keyOf = (object: KubeObject): string => nameOf(object).name;
  const reflector = new Reflector<{ readonly key: string; readonly value: unknown }>(
    { api, clock: systemClock, random: Math.random, log: silentLogger, metrics },
    {
      type,
      namespace,
      selectors: {},
      project: (object) => ({ key: keyOf(object), value: read(object) }),
      keyOf,
      onChange: (change) => {
        for (const { key, value } of change.upserts) objects.set(key, value);
        for (const key of change.deletes) objects.delete(key);
        deletes.push(...change.deletes);
      },
      onSynced: () => void (synced.count += 1),
      onState: (state) => void states.push(state),
    },
  );
  const stop = new AbortController();
  const running = reflector.run(stop.signal);
  atEnd(async () => {
    stop.abort();
    await running;
  });
  /** The sum of a counter over its labels. */
  const counted = async (name: string, label = ''): Promise<number> => {
    const lines = (await metrics.expose()).split('\n').filter((line) => line.startsWith(name) && line.includes(label));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  };
  return { objects, deletes, states, synced, counted };
}

/** Waits, for as long as a slow machine may need. */
export async function eventually(what: string, isTrue: () => boolean | Promise<boolean>, ms = 60_000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`never true: ${what}`);
    await sleep(20);
  }
}
