// Controllers as releases of their own, with the rights that the chart gives each: one keeps what signs identities, another serves proxies
// over TLS by it, and writes nothing. And what `xebec check` says of both.
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CheckInputs, Finding } from '../../src/app/check/check.ts';
import { checkClocks } from '../../src/app/check/clocks.ts';
import { checkIdentities } from '../../src/app/check/identities.ts';
import { neededRights } from '../../src/app/check/needed-rights.ts';
import { checkRights } from '../../src/app/check/rights.ts';
import { checkXds } from '../../src/app/check/xds.ts';
import type { ProcessConfig } from '../../src/app/config.ts';
import { ManualClock } from '../../src/kit/manual-clock.ts';
import { systemClock } from '../../src/kit/system-clock.ts';
import type { KubeConnection } from '../../src/kube/connect.ts';
import { processConfig } from '../../src/testing/process-config.ts';
import { object } from '../feature/pilot/support/manifests.ts';
import { apiServerOfFile } from './api-server-of-file.ts';
import { connectAs, eventually } from './kube-copy.ts';
import { AuditLog } from './support/audit.ts';
import { renderChart } from './support/chart.ts';
import { InProcess } from './support/in-process.ts';
import { Objects } from './support/objects.ts';

const audit = new AuditLog();
const server = apiServerOfFile({ controllers: true, flags: audit.flags });
const ends: (() => Promise<void> | void)[] = [];
const forever = new AbortController().signal;
const loopback = { host: '127.0.0.1', port: 0 };
let objects: Objects;
let admin: KubeConnection;

beforeAll(async () => {
  await server().applyCrds();
  admin = await connectAs(server().kubeconfig, { atEnd: (end) => void ends.push(end) });
  objects = new Objects(admin);
  for (const controller of ['pilot', 'citadel']) {
    const values = [`controllers={${controller}}`];
    await objects.put(...(await renderChart({ release: controller, files: ['rbac.yaml'], values })));
  }
  const spec = {
    serviceAccountName: 'web',
    nodeName: 'a',
    containers: [{ name: 'app', image: 'none', resources: {} }],
  };
  await objects.put(
    object('v1', 'ServiceAccount', 'istio-system/web', {}),
    object('v1', 'Pod', 'istio-system/web-1', { spec }),
  );
});

afterAll(async () => {
  for (const end of ends) await end();
});

/** A release of one controller. */
async function start(controller: 'pilot' | 'citadel'): Promise<InProcess> {
  const token = await server().tokenFor(`istio-system/${controller}-xebec`);
  const config = { controllers: [controller], service: `${controller}-xebec`, xds: loopback, xdsPlaintext: undefined };
  return InProcess.start({ kubeconfig: server().tokenKubeconfig(token), config });
}

async function tokenOfWeb(): Promise<string> {
  const path = '/api/v1/namespaces/istio-system/serviceaccounts/web/token';
  const reply = await server().call('POST', path, { spec: { audiences: ['istio-ca'], expirationSeconds: 600 } });
  return (JSON.parse(reply.body) as { readonly status: { readonly token: string } }).status.token;
}

function inputs(config: Partial<ProcessConfig>, more: Partial<CheckInputs> = {}): CheckInputs {
  return {
    kube: admin,
    config: processConfig(config),
    hasWebhook: false,
    hasXds: true,
    monitoring: undefined,
    xds: undefined,
    caller: undefined,
    clock: systemClock,
    ...more,
  };
}

function told(findings: readonly Finding[]): readonly string[] {
  return findings.map(({ state, message }) => `${state}: ${message.replaceAll(/\d{2,}/g, '#')}`);
}

/** What an account wrote, or was refused. */
function deedsOf(account: string): readonly string[] {
  const calls = audit.read().filter(({ user }) => user === `system:serviceaccount:istio-system:${account}`);
  const deeds = calls.filter(({ verb, code }) => code === 403 || !['get', 'list', 'watch'].includes(verb));
  return [...new Set(deeds.map(({ verb, resource, code }) => `${verb} ${resource}${code === 403 ? ' refused' : ''}`))];
}

test('a pilot serves over TLS by an authority that another release keeps, which it reads and never writes', async () => {
  const pilot = await start('pilot');
  await eventually('aware', () =>
    pilot.log.some((line) => line.includes('and no Secret istio-system/istio-ca-secret yet')),
  );
  expect(pilot.xebec.isReady).toBe(false);
  const citadelless = inputs({ controllers: ['citadel'] });
  expect(told(await checkIdentities(citadelless, forever))).toEqual([
    'failed: there is no ConfigMap istio-ca-root-cert in istio-system: nobody is told whom to trust',
  ]);

  const citadel = await start('citadel');
  await Promise.all([pilot.ready(), citadel.ready()]);
  const identities = inputs({ controllers: ['citadel'] });
  await eventually('all is well', async () => {
    return (await checkIdentities(identities, forever)).every(({ state }) => state === 'ok');
  });
  expect(told(await checkIdentities(identities, forever))).toEqual([
    'ok: the mesh is told of a root, until #-#-#',
    'ok: the account default of istio-system has an identity, of a root that the mesh is told of',
  ]);

  const xds = { host: '127.0.0.1', port: pilot.secureXdsPort };
  const config = { controllers: ['pilot'], service: 'pilot-xebec' } as const;
  const unproven = await checkXds(inputs(config, { xds }), forever);
  expect(told(unproven)).toEqual([
    'ok: xDS on #.0.0.1:# has a certificate of the mesh, and refuses who proves nothing',
  ]);
  const caller = { token: await tokenOfWeb(), pod: 'web-1', address: '10.1.2.3' };
  expect(told(await checkXds(inputs(config, { xds, caller }), forever))).toEqual([
    expect.stringMatching(/^ok: xDS on .* answers a sidecar, with #? ?\d* ?clusters$/),
  ]);
  const liar = { ...caller, pod: 'another' };
  expect(told(await checkXds(inputs(config, { xds, caller: liar }), forever))).toEqual([
    expect.stringMatching(/^failed: xDS on .* answers no sidecar: no Pod and no WorkloadEntry is known/),
  ]);
  // Who has another name is another xebec, though of the same mesh.
  const other = inputs({ ...config, service: 'another' }, { xds });
  expect(told(await checkXds(other, forever))).toEqual([expect.stringContaining('failed')]);

  expect(deedsOf('pilot-xebec')).toEqual(['create authentication.k8s.io/tokenreviews']);
  expect([...pilot.errors(), ...citadel.errors()]).toEqual([]);
});

test.each(['pilot', 'citadel'] as const)(
  'the rights of a release of %s are what check asks for',
  async (controller) => {
    const config = { controllers: [controller], service: `${controller}-xebec` };
    const findings = await checkRights(inputs(config), forever);
    expect(findings.filter(({ state }) => state !== 'ok')).toEqual([]);
    // What it does not serve it needs no right for.
    const [own, less] = [neededRights(inputs(config)), neededRights(inputs(config, { hasXds: false }))];
    expect(
      own.filter((right) => !less.some((each) => isDeepStrictEqual(each, right))).map(({ plural }) => plural),
    ).toEqual(controller === 'pilot' ? ['tokenreviews', 'secrets', 'secrets', 'configmaps'] : ['tokenreviews']);
  },
);

test('an identity that is not of the roots that the mesh is told of is found', async () => {
  const citadel = await start('citadel');
  await citadel.ready();
  await eventually('written', async () => (await server().kubectl(ofOwn('get'))).status === 0);
  await citadel.stop();
  const nothing = '{"data":{"cert-chain.pem":"bm90aGluZw=="}}';
  await server().kubectl([...ofOwn('patch'), '--type=merge', '-p', nothing]);
  const config = inputs({ controllers: ['citadel'] });
  expect(told(await checkIdentities(config, forever)).at(-1)).toBe(
    'failed: the Secret istio.default has no certificate that can be read',
  );
  await server().kubectl(ofOwn('delete'));
  expect(told(await checkIdentities(config, forever)).at(-1)).toBe(
    'failed: the account default of istio-system has no Secret istio.default',
  );
});

function ofOwn(verb: string): readonly string[] {
  return [verb, 'secret', 'istio.default', '--namespace=istio-system'];
}

test('clocks that are minutes apart are told of, and whose is ahead', async () => {
  expect(told(await checkClocks(inputs({}), forever))).toEqual(['ok: the clocks here and of the API server agree']);
  const clock = new ManualClock(Date.now() - 600_000);
  expect(told(await checkClocks(inputs({}, { clock }), forever))).toEqual([
    expect.stringMatching(/^warning: the clock of this machine is # s behind that of the API server: certificates/),
  ]);
});
