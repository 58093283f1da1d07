import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Xebec } from '../../../src/app/assemble.ts';
import { systemClock } from '../../../src/kit/system-clock.ts';
import { makePinoLogger } from '../../../src/telemetry/pino-logger.ts';
import { PromMetrics } from '../../../src/telemetry/prom-metrics.ts';
import { processConfig } from '../../../src/testing/process-config.ts';
import { httpPort, pod, service } from '../pilot/support/manifests.ts';
import { SecureMesh } from './support/secure-mesh.ts';

/** A pilot that takes its mesh from another process over mutual TLS, with what a folder holds. */
async function startPilot(
  mesh: SecureMesh,
  folder: string,
): Promise<{ readonly xebec: Xebec; readonly log: string[] }> {
  const log: string[] = [];
  const xebec = new Xebec({
    config: processConfig({
      source: undefined,
      controllers: ['pilot'],
      configSources: [`xds://127.0.0.1:${mesh.process.xdsPort}`],
      configSourceIdentity: folder,
    }),
    clock: systemClock,
    random: Math.random,
    log: makePinoLogger('info', (line) => log.push(line)),
    metrics: new PromMetrics(),
  });
  await xebec.bind();
  const stop = new AbortController();
  const over = xebec.run(stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await over;
  });
  return { xebec, log };
}

test('a pilot reads configuration over mutual TLS once it has an identity that may', async () => {
  const mesh = await SecureMesh.start([service('shop/web', [httpPort]), pod('shop/web', '10.1.0.1', { app: 'web' })], {
    config: { xdsNames: ['127.0.0.1'] },
  });
  const root = mkdtempSync(join(tmpdir(), 'xebec-config-source-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const folder = join(root, 'certs');
  const { xebec, log } = await startPilot(mesh, folder);
  const said = (text: string) => (): boolean => log.join('').includes(text);
  await mesh.process.until('told that there are no files', said('ENOENT'));

  const give = (account: string): void => {
    const { certificate, key } = mesh.pair(account);
    mkdirSync(folder, { recursive: true });
    const files = { 'cert-chain.pem': certificate, 'key.pem': key, 'root-cert.pem': mesh.issuer.roots };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  };
  give('shop/default');
  const refused = (): boolean => mesh.process.log.join('').includes('consumer of configuration refused');
  await mesh.process.until('refused', refused);
  expect(xebec.isReady).toBe(false);
  give('istio-system/pilot');
  await mesh.process.until('ready', () => xebec.isReady);
  expect(xebec.pilot.mesh()?.services.map(({ hostname }) => hostname)).toEqual(['web.shop.svc.cluster.local']);
}, 60_000);
