// A mesh on this machine: real namespaces, real Envoys, the real control plane, through the command line alone.
import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { canRunLocal, type Ended, eventually, fetchText, LocalMesh, type Status } from './local-mesh.ts';

const APP = `
const { createServer, get } = require('node:http');
createServer((request, response) => {
  if (request.url === '/die') process.exit(3);
  const peer = /^\\/call\\/(.*)/.exec(request.url)?.[1];
  if (peer === undefined) return response.end(process.env.VERSION);
  get('http://' + peer, (answer) => answer.pipe(response)).on('error', (error) => response.end(String(error)));
}).listen(9080);
`;

function deployment(version: string, replicas = 1): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: { name: web-${version} }
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: web, version: ${version} } }
  template:
    metadata:
      labels: { app: web, version: ${version} }
      annotations:
        local.xebec.dev/command: '["node", "app.cjs"]'
    spec:
      containers:
        - { name: web, image: web, env: [{ name: VERSION, value: ${version} }], ports: [{ containerPort: 9080 }] }
`;
}

const SERVICE = `apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ name: http, port: 80, targetPort: 9080 }] }
`;

const GATEWAY = `apiVersion: v1
kind: Service
metadata: { name: istio-ingressgateway }
spec: { selector: { istio: ingressgateway }, ports: [{ name: http2, port: 80, targetPort: 8080 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: istio-ingressgateway }
spec:
  selector: { matchLabels: { istio: ingressgateway } }
  template:
    metadata:
      labels: { istio: ingressgateway }
      annotations: { inject.istio.io/templates: gateway }
    spec: { containers: [{ name: istio-proxy, image: auto }] }
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: web }
spec:
  selector: { istio: ingressgateway }
  servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ['*'] }]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: web }
spec: { host: web, subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }] }
`;

const routeTo = (subset: string): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web }
spec:
  hosts: ['*']
  gateways: [web]
  http: [{ route: [{ destination: { host: web, subset: ${subset} } }] }]
`;

const FILES = {
  'app.cjs': APP,
  'web-v1.yaml': deployment('v1'),
  'web-v2.yaml': deployment('v2'),
  'service.yaml': SERVICE,
  'gateway.yaml': GATEWAY,
  'route.yaml': routeTo('v1'),
};

let mesh: LocalMesh | undefined;

afterEach(async () => {
  await mesh?.end();
  mesh = undefined;
});

function begin(files: Readonly<Record<string, string>> = FILES): LocalMesh {
  mesh = new LocalMesh(files);
  return mesh;
}

function expectFine(ended: Ended): void {
  expect(ended.stderr + ended.stdout + (ended.code === 0 ? '' : ` exit ${ended.code}`)).not.toMatch(/exit \d+$/);
}

async function expectNothingLeft(local: LocalMesh): Promise<void> {
  expect(
    await eventually(
      () => local.processes(),
      (found) => found.length === 0,
      5,
    ),
  ).toEqual([]);
  expect(local.mounts()).toEqual([]);
}

/** As a person sees them: in the status, and inside a pod. */
async function expectIdentities(local: LocalMesh, { pods }: Status): Promise<void> {
  for (const { identity } of pods) {
    expect(identity?.spiffeId).toBe('spiffe://cluster.local/ns/default/sa/default');
    expect(Date.parse(identity?.notAfter ?? '')).toBeGreaterThan(Date.now());
  }
  const { stdout } = await local.run('status', local.folder);
  expect(stdout).toMatch(/ ACCOUNT +CERTIFICATE\n(?:.* default +2[34]h\n){3}/);
  expect(stdout).toContain('identities  spiffe://cluster.local/ns/NAMESPACE/sa/ACCOUNT\n');
  const listed = await local.exec('default/web-v1', 'ls', '/etc/certs');
  expect(listed.stdout.split('\n')).toEqual(expect.arrayContaining(['cert-chain.pem', 'key.pem', 'root-cert.pem']));
}

describe.skipIf(!canRunLocal)('local mode', { timeout: 240_000 }, () => {
  test('up, traffic through gateway and sidecars, names, an edit, down', async () => {
    const local = begin();
    expectFine(await local.up());
    const status = await local.status();
    expect(status).toMatchObject({ running: true, ready: true, problems: [] });
    expect(status.pods.map(({ deployment: name }) => name).sort()).toEqual([
      'istio-ingressgateway',
      'web-v1',
      'web-v2',
    ]);
    expect(await fetchText(`${local.url}/`)).toEqual({ status: 200, body: 'v1' });
    await expectIdentities(local, status);

    // An app finds a service by its short name: DNS is Envoy's, the address is virtual, the way is through both Envoys.
    const called = await fetchText(`${local.url}/call/web`);
    expect(['v1', 'v2']).toContain(called.body);

    local.write('route.yaml', routeTo('v2'));
    const moved = await eventually(
      () => fetchText(`${local.url}/`),
      ({ body }) => body === 'v2',
      5,
    );
    expect(moved).toEqual({ status: 200, body: 'v2' });

    const again = await local.up();
    expectFine(again);
    expect(again.stderr).toContain('runs already');

    expectFine(await local.down());
    await expectNothingLeft(local);
    expect(local.states()).toEqual([]);
    expectFine(await local.down());
  });

  test('kill -9 of the supervisor takes everything with it, and the next up begins anew', async () => {
    const local = begin();
    expectFine(await local.up());
    process.kill(local.supervisorPid(), 'SIGKILL');
    await expectNothingLeft(local);
    expect(await fetchText(local.url)).toMatchObject({ status: 0 });
    expect(await local.status()).toMatchObject({ running: false, ready: false });
    expectFine(await local.up());
    expect(await fetchText(`${local.url}/`)).toEqual({ status: 200, body: 'v1' });
    process.kill(local.supervisorPid(), 'SIGKILL');
    expectFine(await local.down());
    await expectNothingLeft(local);
    expect(local.states()).toEqual([]);
  });

  test('what ends is started again: an app, an Envoy', async () => {
    const local = begin();
    expectFine(await local.up());
    await fetchText(`${local.url}/die`);
    const restarted = await eventually(
      () => local.status(),
      ({ ready, pods }) => ready && pods.some(({ restarts }) => restarts > 0),
    );
    expect(restarted.ready).toBe(true);
    expect(local.killEnvoys()).toBe(3);
    const back = await eventually(
      () => local.status(),
      ({ ready, pods }) => ready && pods.every(({ restarts }) => restarts > 0),
    );
    expect(back).toMatchObject({ ready: true, problems: [] });
    expect(
      await eventually(
        () => fetchText(`${local.url}/`),
        ({ status }) => status === 200,
      ),
    ).toMatchObject({ body: 'v1' });
  });

  test('pods follow the folder, and no request fails while they do', async () => {
    const local = begin();
    expectFine(await local.up());
    const failures: number[] = [];
    const stop = new AbortController();
    const watching = (async () => {
      while (!stop.signal.aborted) {
        const { status } = await fetchText(`${local.url}/`);
        if (status !== 200) failures.push(status);
      }
    })();
    local.write('web-v1.yaml', deployment('v1', 3));
    const three = await eventually(
      () => local.status(),
      ({ ready, pods }) => ready && pods.length === 5,
    );
    expect(three.pods).toHaveLength(5);
    local.write('web-v1.yaml', deployment('v1', 3).replace('labels: { app', 'labels: { team: blue, app'));
    const names = new Set(three.pods.map(({ name }) => name));
    const replaced = await eventually(
      () => local.status(),
      ({ ready, pods }) => ready && pods.length === 5 && pods.filter(({ name }) => !names.has(name)).length === 3,
    );
    expect(replaced.pods).toHaveLength(5);
    local.write('web-v1.yaml', deployment('v1', 1).replace('labels: { app', 'labels: { team: blue, app'));
    const one = await eventually(
      () => local.status(),
      ({ pods }) => pods.length === 3,
    );
    expect(one.pods).toHaveLength(3);
    stop.abort();
    await watching;
    expect(failures).toEqual([]);
    local.remove('web-v2.yaml');
    expect(
      (
        await eventually(
          () => local.status(),
          ({ pods }) => pods.length === 2,
        )
      ).pods,
    ).toHaveLength(2);
  });

  test('a Deployment that cannot run here is told, and harms nobody', async () => {
    const local = begin({ ...FILES, 'web-v2.yaml': deployment('v2').replace('["node", "app.cjs"]', 'node app.cjs') });
    expectFine(await local.up());
    const { problems, pods } = await local.status();
    expect(problems).toEqual([
      expect.objectContaining({
        level: 'warning',
        message: expect.stringContaining('is not a JSON list'),
        position: expect.objectContaining({ file: expect.stringMatching(/web-v2\.yaml$/) }),
      }),
    ]);
    expect(pods).toHaveLength(2);
    expect(await fetchText(`${local.url}/`)).toEqual({ status: 200, body: 'v1' });
  });

  test('a mistake is told by the mesh that runs, and traffic stays as it was', async () => {
    const local = begin();
    expectFine(await local.up());
    local.write('route.yaml', routeTo('2'));
    const { problems } = await eventually(
      () => local.status(),
      (status) => status.problems.length > 0,
      5,
    );
    expect(problems.find(({ level }) => level === 'error')).toMatchObject({ position: { line: 7 } });
    const told = await local.run('status', local.folder);
    expect(told.stdout).toMatch(
      /\nproblem {5}\S+route\.yaml:7:\d+: error XEB0001 .*; its last good version stays in force\n/,
    );
    expect(await fetchText(`${local.url}/`)).toEqual({ status: 200, body: 'v1' });
  });

  test.each([300, 1_000, 2_500])('Ctrl-C %i ms after up leaves nothing', async (ms) => {
    const local = begin();
    const interrupted = await local.interrupt(ms);
    // No machine is done after 300 ms; a fast one may be later: then the mesh is up, and ends as any other.
    if (ms === 300) expect(interrupted.code).not.toBe(0);
    if (interrupted.code === 0) await local.run('down', local.folder);
    await expectNothingLeft(local);
    expect(local.states()).toEqual([]);
  });

  test('a port in use, a folder that is not there: one line with what to do', async () => {
    const local = begin();
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const address = blocker.address();
    local.gatewayPort = typeof address === 'object' && address !== null ? address.port : 0;
    const refused = await local.up();
    await new Promise((resolve) => blocker.close(resolve));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(
      `port ${local.gatewayPort} on 127.0.0.1 is in use: choose another with --publish PORT:80`,
    );
    expect(local.processes()).toEqual([]);
    const inside = await local.run('mesh', local.folder);
    expect(inside).toMatchObject({ code: 2, stderr: expect.stringContaining('is what `up` starts') });
    const missing = await local.run('up', `${local.base}/nowhere`);
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('does not exist') });
  });
});
