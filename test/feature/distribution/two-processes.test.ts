// The whole program twice, put together as it is started: one with Galley alone, one with Pilot alone.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Xebec } from '../../../src/app/assemble.ts';
import type { ProcessConfig } from '../../../src/app/config.ts';
import { systemClock } from '../../../src/kit/system-clock.ts';
import { makePinoLogger } from '../../../src/telemetry/pino-logger.ts';
import { PromMetrics } from '../../../src/telemetry/prom-metrics.ts';
import { processConfig } from '../../../src/testing/process-config.ts';
import { proxyGets, until } from './support/consumer.ts';
import { foreignXds } from './support/foreign-client.ts';

const bookinfo = fileURLToPath(new URL('../../../samples/bookinfo', import.meta.url));
const proxy = 'sidecar~10.1.1.1~reviews-v1.default~default.svc.cluster.local';

type Running = { readonly xebec: Xebec; readonly xds: number; readonly mcp: number; readonly log: readonly string[] };

async function start(config: Partial<ProcessConfig>): Promise<Running> {
  const log: string[] = [];
  const xebec = new Xebec({
    config: processConfig({ debounceAfterMs: 0, debounceMaxMs: 0, ...config }),
    clock: systemClock,
    random: Math.random,
    log: makePinoLogger('info', (line) => log.push(line)),
    metrics: new PromMetrics(),
  });
  const { xdsPlaintext, mcp } = await xebec.bind();
  const stop = new AbortController();
  const running = xebec.run(stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await running;
  });
  return { xebec, xds: xdsPlaintext?.port ?? 0, mcp: mcp?.port ?? 0, log };
}

/** A folder that is the test's own. */
function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'xebec-two-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function copy(folder: string, ...parts: readonly string[]): void {
  for (const part of parts) cpSync(join(bookinfo, part), join(folder, part.replace('/', '-')), { recursive: true });
}

describe('a Pilot without a source of its own', () => {
  test.each(['xds', 'mcp'] as const)('is fed by another process over %s', async (kind) => {
    const folder = makeFolder();
    copy(folder, 'platform', 'networking');
    const galley = await start({ source: folder, controllers: ['galley'], mcp: { host: '127.0.0.1', port: 0 } });
    const port = kind === 'xds' ? galley.xds : galley.mcp;
    const kubernetes = makeFolder();
    copy(kubernetes, 'platform');
    const pilot = await start({
      source: kind === 'xds' ? undefined : kubernetes,
      controllers: ['pilot'],
      configSources: [`${kind}://127.0.0.1:${port}`],
    });
    const direct = await start({ source: folder });
    const ready = (): boolean => pilot.xebec.isReady && direct.xebec.isReady;
    await until('ready', ready, () => [...pilot.log, ...galley.log].join(''));
    const same = (): boolean =>
      JSON.stringify(proxyGets(pilot.xebec.pilot, proxy)) === JSON.stringify(proxyGets(direct.xebec.pilot, proxy));
    await until('the same', same, () => pilot.log.join(''));
    expect(Object.keys(proxyGets(pilot.xebec.pilot, proxy)).length).toBeGreaterThan(10);
  });

  test('is not ready before it was fed', async () => {
    const pilot = await start({ source: undefined, controllers: ['pilot'], configSources: ['xds://127.0.0.1:9'] });
    await until('aware', () => pilot.xebec.galley.diagnostics().some(({ code }) => code === 'XEB1021'));
    expect(pilot.xebec.isReady).toBe(false);
  });
});

test('a process without a Pilot sends proxies elsewhere', async () => {
  const folder = makeFolder();
  copy(folder, 'platform');
  const galley = await start({ source: folder, controllers: ['galley'] });
  await until('ready', () => galley.xebec.isReady);
  const client = foreignXds(galley.xds);
  client.send({ node: { id: proxy }, typeUrl: 'type.googleapis.com/envoy.config.cluster.v3.Cluster' });
  expect(await client.end()).toMatchObject({ code: 14 });
});
