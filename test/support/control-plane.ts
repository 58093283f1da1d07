import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Xebec } from '../../src/app/assemble.ts';
import { systemClock } from '../../src/kit/system-clock.ts';
import { Relay } from '../../src/local/relay.ts';
import { makePinoLogger } from '../../src/telemetry/pino-logger.ts';
import { PromMetrics } from '../../src/telemetry/prom-metrics.ts';
import { processConfig } from '../../src/testing/process-config.ts';

/** A control plane of this process over a folder of YAML. Its xDS port is a unix socket too, which any network namespace can reach. */
export type TestControlPlane = {
  readonly xebec: Xebec;
  readonly folder: string;
  readonly xdsPort: number;
  readonly xdsSocket: string;
  readonly log: readonly string[];
  stop(): Promise<void>;
};

export async function startControlPlane(root: string, yaml: string): Promise<TestControlPlane> {
  const folder = join(root, 'config');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'case.yaml'), yaml);
  const log: string[] = [];
  const xebec = new Xebec({
    config: processConfig({ source: folder, debounceAfterMs: 10, debounceMaxMs: 1_000 }),
    clock: systemClock,
    random: Math.random,
    log: makePinoLogger('info', (line) => log.push(line)),
    metrics: new PromMetrics(),
  });
  const { xdsPlaintext: xds } = await xebec.bind();
  if (xds === undefined) throw new Error('xDS is served on no port');
  const xdsSocket = join(root, 'xds.sock');
  const relay = new Relay({ listen: { path: xdsSocket }, target: () => xds });
  await relay.open();
  const stop = new AbortController();
  const running = xebec.run(stop.signal);
  return {
    xebec,
    folder,
    xdsPort: xds.port,
    xdsSocket,
    log,
    stop: async () => {
      // Streams that are still there are let go slowly; the Envoys of tests are gone, and that only has to be noticed.
      for (let turn = 0; turn < 100 && xebec.xds.streams().length > 0; turn += 1) await sleep(10);
      stop.abort();
      await relay.close();
      await running;
    },
  };
}
