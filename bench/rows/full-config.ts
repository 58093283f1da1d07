import { join } from 'node:path';
import { Fleet } from '../ads-client/fleet.ts';
import type { Protocol } from '../ads-client/library.ts';
import { memcpyMs } from '../measure/machine.ts';
import type { Figure, RowReport } from '../measure/report.ts';
import { median } from '../measure/stats.ts';
import { writeMesh } from '../mesh/mesh-folder.ts';
import { buildShape, fullShapes, type Shape, shortShapes } from '../mesh/shapes.ts';
import { DEBOUNCE } from '../server/xebec-process.ts';
import { checkContent } from './content.ts';
import { withProfile } from './profile.ts';
import type { Row, RowContext } from './row.ts';

/** One proxy after the other gets everything; each leaves before the next comes. */
export const fullConfig: Row = {
  name: 'full-config',
  run: async (context) => [await report(context, 'delta'), ...(context.full ? [await report(context, 'sotw')] : [])],
};

type Sample = { readonly coldMs: number; readonly coldCpuMs: number; readonly rssMiB: number } & Warm;
type Warm = { readonly warmMs: number; readonly warmCpuMs: number; readonly bytes: number; readonly waitedMs: number };

async function report(context: RowContext, protocol: Protocol): Promise<RowReport> {
  const shapes = (context.full ? fullShapes : shortShapes).map(([name, count]) => buildShape(name, count));
  const samples = new Map<string, Sample[]>();
  for (const shape of shapes) writeMesh(join(context.work, shape.name), shape.files);
  // Shape after shape and then again: what disturbs the machine for a while disturbs all of them.
  for (let round = 0; round < (context.full ? 3 : 1); round += 1) {
    for (const shape of shapes) {
      const known = samples.get(shape.name) ?? [];
      samples.set(shape.name, [...known, await sample(context, shape, protocol)]);
    }
  }
  return {
    row: 1,
    title: `Full configuration of one proxy (${protocol})`,
    conditions: `Server just started and quiet; debounce ${DEBOUNCE}; cold: the first proxy that asks, after what the server prepares by itself before it is ready; warm: median of those after it, equal workloads of one namespace, one at a time; plaintext; unscoped. Wall time from opening the connection to the last byte; CPU of the server.`,
    figures: shapes.flatMap((shape) => figures(shape, samples.get(shape.name) ?? [])),
    notes: [
      'Istio’s figures are those of pilot-discovery 1.29.6 from another machine, for orientation; its own cold start is not in them.',
      `While it was measured the server waited for a CPU for ${worstWait(samples).toFixed(0)} % of its warm CPU time at worst.`,
    ],
  };
}

async function sample(context: RowContext, shape: Shape, protocol: Protocol): Promise<Sample> {
  const server = context.serve({ source: join(context.work, shape.name) });
  await server.ready();
  const address = await server.address();
  const before = server.usage();
  const cold = new Fleet({ address, protocol, nodes: [shape.nodeAt(0)] });
  const [coldMs = Number.NaN] = await withProfile(context, server, `full-config-${shape.name}-cold`, () =>
    cold.connect(),
  );
  for (const client of cold.clients) checkContent(client, shape.expected);
  cold.close();
  const coldCpuMs = server.usage().cpuMs - before.cpuMs;
  const warm = await withProfile(context, server, `full-config-${shape.name}`, () =>
    sampleWarm(context, shape, { address, protocol, usage: () => server.usage() }),
  );
  const { rssMiB } = server.usage();
  await server.stop();
  return { coldMs, coldCpuMs, rssMiB, ...warm };
}

type Target = {
  readonly address: string;
  readonly protocol: Protocol;
  readonly usage: () => { readonly cpuMs: number; readonly waitedMs: number };
};

async function sampleWarm({ full }: RowContext, shape: Shape, { address, protocol, usage }: Target): Promise<Warm> {
  const count = full ? 99 : 40;
  const times: number[] = [];
  let bytes = 0;
  const before = usage();
  for (let index = 1; index <= count; index += 1) {
    const fleet = new Fleet({ address, protocol, nodes: [shape.nodeAt(index)] });
    bytes = 0;
    const onArrival = ({ response }: { readonly response: { readonly bytes: number } }): void => {
      bytes += response.bytes;
    };
    const [ms = Number.NaN] = await fleet.watch({ onArrival, onConfirmed: () => undefined }, () => fleet.connect());
    for (const client of fleet.clients) checkContent(client, shape.expected);
    fleet.close();
    times.push(ms);
  }
  const after = usage();
  const waitedMs = (after.waitedMs - before.waitedMs) / count;
  return { warmMs: median(times), warmCpuMs: (after.cpuMs - before.cpuMs) / count, bytes, waitedMs };
}

function figures({ name, istio }: Shape, samples: readonly Sample[]): readonly Figure[] {
  const of = (read: (sample: Sample) => number): number => median(samples.map(read));
  const bytes = of((sample) => sample.bytes);
  const beside = (to: string, value: number | undefined): { readonly to: string; readonly value: number }[] =>
    value === undefined ? [] : [{ to, value }];
  const copy = { to: 'memcpy', value: memcpyMs(bytes) };
  const { coldMs, warmMs, rssMiB } = istio;
  const goals = (istioMs: number | undefined, share: number): { readonly goal?: number } =>
    istioMs === undefined ? {} : { goal: istioMs * share };
  return [
    {
      ...{ workload: name, what: 'bytes', value: bytes / 1e6, unit: 'MB' },
      beside: beside('Istio', istio.bytes === undefined ? undefined : istio.bytes / 1e6),
    },
    {
      ...{ workload: name, what: 'cold, wall', value: of((sample) => sample.coldMs), unit: 'ms' },
      beside: beside('Istio', coldMs),
      ...goals(coldMs, 1),
    },
    { workload: name, what: 'cold, CPU', value: of((sample) => sample.coldCpuMs), unit: 'ms' },
    {
      ...{ workload: name, what: 'warm, wall', value: of((sample) => sample.warmMs), unit: 'ms' },
      beside: [...beside('Istio', warmMs), copy],
      ...goals(warmMs, 0.3),
    },
    {
      ...{ workload: name, what: 'warm, CPU', value: of((sample) => sample.warmCpuMs), unit: 'ms' },
      beside: [...beside('Istio', warmMs), copy],
      ...goals(warmMs, 0.3),
    },
    {
      ...{ workload: name, what: 'RSS after all', value: of((sample) => sample.rssMiB), unit: 'MiB' },
      beside: beside('Istio', rssMiB),
    },
  ];
}

function worstWait(samples: ReadonlyMap<string, readonly Sample[]>): number {
  const shares = [...samples.values()].flat().map(({ waitedMs, warmCpuMs }) => (100 * waitedMs) / warmCpuMs);
  return Math.max(...shares);
}
