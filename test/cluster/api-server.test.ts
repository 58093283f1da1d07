import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { nodeBinary } from '../../tools/paths.mjs';
import { startApiServer } from './api-server.ts';
import { apiServerOfFile } from './api-server-of-file.ts';

const server = apiServerOfFile({ controllers: true });

const crd = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'probes.test.example' },
  spec: {
    group: 'test.example',
    names: { kind: 'Probe', plural: 'probes' },
    scope: 'Namespaced',
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
  },
};

/** Whether it does something: one that ended and was not collected yet does not. */
function isRunning(pid: number): boolean {
  const file = `/proc/${pid}/stat`;
  return existsSync(file) && !/^\d+ \(.*\) [ZX]/.test(readFileSync(file, 'utf8'));
}

async function eventually(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`never true: ${what}`);
    await sleep(50);
  }
}

test('answers kubectl, and the controllers work', async () => {
  expect(await server().kubectl(['get', 'namespace', 'default', '-o', 'name'])).toEqual({
    stdout: 'namespace/default\n',
    stderr: '',
    status: 0,
  });
  expect((await server().kubectl(['get', 'pod', 'nobody'])).stderr).toContain('NotFound');
  await server().kubectl(['create', 'namespace', 'shop']);
  await eventually('a new namespace has a service account', async () => {
    return (await server().call('GET', '/api/v1/namespaces/shop/serviceaccounts/default')).status === 200;
  });
});

test('serves CRDs once they are applied', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'crds-'));
  writeFileSync(join(folder, 'probes.yaml'), JSON.stringify(crd));
  try {
    await server().applyCrds(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
  const probe = { apiVersion: 'test.example/v1', kind: 'Probe', metadata: { name: 'one' } };
  const applied = await server().kubectl(['apply', '-f', '-'], JSON.stringify(probe));
  expect(applied).toMatchObject({ stdout: 'probe.test.example/one created\n', status: 0 });
});

test('knows users by certificate and service accounts by token, and asks RBAC what they may do', async () => {
  const user = server().userKubeconfig('jane', ['readers']);
  const list = ['get', 'configmaps', '--kubeconfig', user];
  expect((await server().kubectl(list)).stderr).toContain('User "jane" cannot list resource "configmaps"');
  await server().kubectl(['create', 'rolebinding', 'readers', '--clusterrole=view', '--group=readers']);
  await eventually('a reader may read', async () => (await server().kubectl(list)).status === 0);
  const token = server().tokenKubeconfig(await server().tokenFor('default/worker'));
  const whoami = await server().kubectl(['auth', 'whoami', '--kubeconfig', token]);
  expect(whoami.stdout).toContain('system:serviceaccount:default:worker');
});

test('restarts on the same port with the same objects, having forgotten what was compacted', async () => {
  const configMaps = '/api/v1/namespaces/default/configmaps';
  const created = await server().call('POST', configMaps, { metadata: { name: 'kept' }, data: { a: 'b' } });
  const { metadata } = JSON.parse(created.body) as { metadata: { resourceVersion: string } };
  await server().call('POST', configMaps, { metadata: { name: 'newer' } });
  await server().compact();
  await server().restart();
  expect(JSON.parse((await server().call('GET', `${configMaps}/kept`)).body)).toMatchObject({ data: { a: 'b' } });
  const watch = await server().call('GET', `${configMaps}?watch=1&resourceVersion=${metadata.resourceVersion}`);
  expect(watch.body).toContain('"code":410');
});

test('is silent, cut off and back behind a flaky proxy', async () => {
  const proxy = await server().flakyProxy();
  const kubeconfig = server().userKubeconfig('admin', ['system:masters'], proxy.url);
  const get = (): Promise<{ status: number; stderr: string }> =>
    server().kubectl(['get', '--raw', '/readyz', '--request-timeout=1s', '--kubeconfig', kubeconfig]);
  expect(await get()).toMatchObject({ status: 0 });
  proxy.stall();
  expect((await get()).stderr).toMatch(/Timeout exceeded|deadline exceeded/);
  proxy.resume();
  expect(await get()).toMatchObject({ status: 0 });
  const watch = server().kubectl(['get', 'namespaces', '--watch', '--kubeconfig', kubeconfig]);
  await eventually('a watch is open', () => proxy.connections > 0);
  await sleep(1_000);
  proxy.refuse();
  expect((await get()).status).not.toBe(0);
  proxy.resume();
  await watch;
  expect(proxy.connections).toBe(0);
});

test('leaves no process and no file when it stops', async () => {
  const own = await startApiServer();
  const { pids, folder, url } = own;
  expect(pids.map(isRunning)).toEqual([true, true]);
  await own.stop();
  expect(pids.map(isRunning)).toEqual([false, false]);
  expect(existsSync(folder)).toBe(false);
  await expect(fetch(url)).rejects.toThrow();
});

test('leaves no process when the test that started it is killed', async () => {
  const module = new URL('api-server.ts', import.meta.url).href;
  const script = `const { startApiServer } = await import(${JSON.stringify(module)});
    const { pids, folder } = await startApiServer();
    console.log(JSON.stringify({ pids, folder }));
    setInterval(() => undefined, 1_000);`;
  const child = spawn(nodeBinary, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const { pids, folder } = JSON.parse(String(line)) as { pids: readonly number[]; folder: string };
  expect(pids.map(isRunning)).toEqual([true, true]);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await eventually('all ended', () => !pids.some(isRunning));
  // The next run removes its data, and the logs a day later.
  const next = await startApiServer();
  await next.stop();
  expect([existsSync(join(folder, 'etcd')), existsSync(join(folder, 'etcd.log'))]).toEqual([false, true]);
  rmSync(folder, { recursive: true });
});
