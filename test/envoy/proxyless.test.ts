// A gRPC client that takes its routes, clusters and endpoints from the control plane itself, as any Envoy does.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nodeBinary } from '../../tools/paths.mjs';
import { startControlPlane, type TestControlPlane } from '../support/control-plane.ts';
import { likely } from '../support/outcomes.ts';

const apps = join(import.meta.dirname, '..', 'support', 'apps');
const root = mkdtempSync('/tmp/xp-');
const children: ChildProcessWithoutNullStreams[] = [];
const ports: Record<string, number> = {};
let plane: TestControlPlane;
let client: GrpcClient;

class GrpcClient {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: Interface;

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout });
  }

  async call(count: number, user = ''): Promise<Readonly<Record<string, number>>> {
    const answer = once(this.#lines, 'line');
    this.#child.stdin.write(`${count} ${user}`.trim().concat('\n'));
    return JSON.parse(String((await answer)[0])) as Readonly<Record<string, number>>;
  }
}

function start(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): ChildProcessWithoutNullStreams {
  const command = ['--pdeathsig', 'KILL', nodeBinary, join(apps, program), ...args];
  const child = spawn('setpriv', command, { env: { ...process.env, ...env } });
  child.stderr.pipe(process.stderr);
  children.push(child);
  return child;
}

function config(weights: { readonly v1: number; readonly v2: number }): string {
  const endpoint = (version: string): string =>
    `{ address: 127.0.0.1, ports: { grpc: ${ports[version]} }, labels: { version: ${version} } }`;
  return `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: echo, namespace: default }
spec:
  hosts: [echo.example.com]
  addresses: [240.1.1.1]
  ports: [{ number: 7070, name: grpc, protocol: GRPC }]
  resolution: STATIC
  endpoints: [${endpoint('v1')}, ${endpoint('v2')}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: echo, namespace: default }
spec: { host: echo.example.com, subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: echo, namespace: default }
spec:
  hosts: [echo.example.com]
  http:
    - match: [{ headers: { x-user: { exact: tester } } }]
      route: [{ destination: { host: echo.example.com, subset: v2 } }]
    - route:
        - { destination: { host: echo.example.com, subset: v1 }, weight: ${weights.v1} }
        - { destination: { host: echo.example.com, subset: v2 }, weight: ${weights.v2} }
`;
}

beforeAll(async () => {
  for (const version of ['v1', 'v2']) {
    const port = await freePort();
    ports[version] = port;
    start('echo.ts', ['--app', 'echo', '--version', version, `h2c:${port}`], {});
    await untilListening(port);
  }
  plane = await startControlPlane(root, config({ v1: 75, v2: 25 }));
  const node = {
    id: 'sidecar~10.1.0.1~client.default~default.svc.cluster.local',
    metadata: { GENERATOR: 'grpc', NAMESPACE: 'default' },
    locality: {},
  };
  const xdsServers = [
    {
      server_uri: `127.0.0.1:${plane.xdsPort}`,
      channel_creds: [{ type: 'insecure' }],
      server_features: ['xds_v3'],
    },
  ];
  const bootstrap = JSON.stringify({ xds_servers: xdsServers, node });
  client = new GrpcClient(
    start('grpc-xds-client.ts', ['xds:///echo.example.com:7070'], { GRPC_XDS_BOOTSTRAP_CONFIG: bootstrap }),
  );
});

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await plane.stop();
  rmSync(root, { recursive: true, force: true });
});

test('a VirtualService splits its calls 75 to 25', async () => {
  const total = 400;
  const { v1 = 0, v2 = 0, ...others } = await client.call(total);
  expect(others).toEqual({});
  const { min, max } = likely(total, 0.75);
  expect(v1).toBeGreaterThanOrEqual(min);
  expect(v1).toBeLessThanOrEqual(max);
  expect(v1 + v2).toBe(total);
});

test('a header decides', async () => {
  expect(await client.call(40, 'tester')).toEqual({ v2: 40 });
});

test('an edit moves the calls, and none is lost on the way', async () => {
  writeFileSync(join(plane.folder, 'case.yaml'), config({ v1: 0, v2: 100 }));
  let last: Readonly<Record<string, number>> = {};
  for (let turn = 0; (turn < 100 && last['v1'] !== undefined) || turn === 0; turn += 1) {
    last = await client.call(20);
    expect(Object.keys(last).filter((answer) => answer.startsWith('error'))).toEqual([]);
    await sleep(20);
  }
  expect(last).toEqual({ v2: 20 });
});

test('it has told that it accepts everything', () => {
  const streams = plane.xebec.xds.streams();
  expect(streams.map(({ protocol }) => protocol)).toEqual(['sotw']);
  const types = streams.flatMap((stream) => stream.types);
  const names = ['Cluster', 'ClusterLoadAssignment', 'Listener', 'RouteConfiguration'];
  expect(new Set(types.map(({ typeUrl }) => typeUrl.split('.').at(-1)))).toEqual(new Set(names));
  expect(types.map(({ lastError }) => lastError)).toEqual(types.map(() => undefined));
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  server.close();
  return typeof bound === 'object' && bound !== null ? bound.port : 0;
}

async function untilListening(port: number): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) {
    const isOpen = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('close', () => resolve(false));
      socket.end();
    });
    if (isOpen === true) return;
    await sleep(25);
  }
  throw new Error(`nothing listens on ${port}`);
}
