import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../kit/clock.ts';
import { systemClock } from '../../kit/system-clock.ts';
import { type Logger, silentLogger } from '../../telemetry/logger.ts';
import { PromMetrics } from '../../telemetry/prom-metrics.ts';
import type { KubeApi } from '../api.ts';
import { KubeClient } from '../client.ts';
import { type Access, Credentials } from '../credentials.ts';
import { Transport } from '../transport.ts';
import { defaultLimits, type TransportLimits } from '../transport-limits.ts';
import { FakeApiServer, type Respond } from './fake-api-server.ts';

export type ConnectedOptions = {
  readonly clock?: Clock;
  readonly limits?: Partial<TransportLimits>;
  readonly log?: Logger;
};

export type Connected = { readonly server: FakeApiServer; readonly api: KubeApi; readonly metrics: PromMetrics };

/** A fake API server and a connection to it; both end with the test. */
export async function connected(respond: Respond, options: ConnectedOptions = {}): Promise<Connected> {
  const server = await FakeApiServer.start(respond);
  onTestFinished(() => server.stop());
  const { api, metrics } = connectTo(`http://127.0.0.1:${server.port}`, options);
  return { server, api, metrics };
}

const plain: Access = {
  headers: { authorization: 'Bearer secret' },
  tls: { ca: undefined, cert: undefined, key: undefined, servername: undefined, rejectUnauthorized: true },
};

/** A connection with a token. */
function connectTo(
  server: string,
  { clock = systemClock, limits = {}, log = silentLogger }: ConnectedOptions = {},
): { readonly api: KubeApi; readonly metrics: PromMetrics } {
  const metrics = new PromMetrics();
  const credentials = new Credentials({ load: () => Promise.resolve(plain) }, clock, log);
  const transport = new Transport({
    server,
    credentials,
    clock,
    log,
    userAgent: 'xebec-test',
    limits: { ...defaultLimits, ...limits },
  });
  onTestFinished(() => transport.close());
  return { api: new KubeClient(transport, metrics), metrics };
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
