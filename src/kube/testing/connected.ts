import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../kit/clock.ts';
import { systemClock } from '../../kit/system-clock.ts';
import { type Logger, silentLogger } from '../../telemetry/logger.ts';
import { PromMetrics } from '../../telemetry/prom-metrics.ts';
import { connectKubeApi, type KubeConnection } from '../connect.ts';
import type { TransportLimits } from '../transport-limits.ts';
import { FakeApiServer, type Respond } from './fake-api-server.ts';

export type ConnectedOptions = {
  readonly clock?: Clock;
  readonly limits?: Partial<TransportLimits>;
  readonly log?: Logger;
};

export type Connected = { readonly server: FakeApiServer; readonly api: KubeConnection; readonly metrics: PromMetrics };

/** A fake API server and a connection to it; both end with the test. */
export async function connected(respond: Respond, options: ConnectedOptions = {}): Promise<Connected> {
  const server = await FakeApiServer.start(respond);
  onTestFinished(() => server.stop());
  const { api, metrics } = await connectTo(`http://127.0.0.1:${server.port}`, options);
  return { server, api, metrics };
}

/** A connection by a kubeconfig with a token. */
export async function connectTo(
  server: string,
  { clock = systemClock, limits = {}, log = silentLogger }: ConnectedOptions = {},
): Promise<{ readonly api: KubeConnection; readonly metrics: PromMetrics }> {
  const metrics = new PromMetrics();
  const path = join(await temporaryFolder(), 'kubeconfig');
  await writeFile(path, kubeconfig(server));
  const access = { kind: 'kubeconfig', path } as const;
  const made = await connectKubeApi({ access, clock, log, metrics, userAgent: 'xebec-test', limits });
  if (!made.ok) throw new Error(made.error);
  const api = made.value;
  onTestFinished(() => api.close());
  return { api, metrics };
}

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'xebec-kube-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export function kubeconfig(server: string, more: { readonly cluster?: object; readonly user?: object } = {}): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace: 'shop' } }],
    clusters: [{ name: 'test', cluster: { server, ...more.cluster } }],
    users: [{ name: 'test', user: more.user ?? { token: 'secret' } }],
  });
}
