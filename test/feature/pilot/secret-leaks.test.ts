// A key is for the gateway that serves with it. Whoever looks anywhere else finds none of it, whatever state its Secret is in.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Pki } from '../../support/pki.ts';
import { takeAtTheirWord } from '../../support/proven.ts';
import { Program } from '../cli/program.ts';
import { gateway, type Manifest, object, service, virtualService, withMeta } from './support/manifests.ts';
import { TestProcess } from './support/process.ts';
import { ingress, ingressPod, REVIEWS, shop } from './support/shop.ts';

const pki = new Pki('authority');
const good = pki.issue(['good.example.com']);
const PLANTED = 'PLANTED-0123456789';
const KEPT = 'kubectl.kubernetes.io/last-applied-configuration';

/** Every line of the key, and what no key looks like; in the clear and as Kubernetes encodes it. */
function traces(): readonly string[] {
  const lines = good.key.split('\n').filter((line) => line !== '' && !line.startsWith('-'));
  const encoded = Buffer.from(good.key).toString('base64');
  return [...lines, encoded.slice(8, 72), PLANTED, Buffer.from(PLANTED).toString('base64').replaceAll('=', '')];
}

function secret(name: string, texts: Readonly<Record<string, string>>): Manifest {
  const data = Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
  );
  const manifest = object('v1', 'Secret', `istio-system/${name}`, { type: 'kubernetes.io/tls', data });
  return withMeta(manifest, { annotations: { [KEPT]: JSON.stringify(manifest) } });
}

const secrets: readonly Manifest[] = [
  secret('good', { 'tls.crt': good.certificate, 'tls.key': good.key }),
  secret('garbage', { 'tls.crt': PLANTED, 'tls.key': PLANTED }),
  secret('combined', { 'tls.crt': `${good.key}${good.certificate}`, 'tls.key': PLANTED }),
  secret('mismatched', { 'tls.crt': pki.issue(['other.example.com']).certificate, 'tls.key': good.key }),
  secret('half', { 'tls.key': good.key }),
  secret('authority', { 'ca.crt': PLANTED, 'ca.crl': PLANTED }),
  object('v1', 'Secret', 'istio-system/odd', { data: { 'tls.key': [PLANTED] } }),
  object('v1', 'Secret', 'istio-system/odder', { stringData: PLANTED }),
];

const names = ['good', 'garbage', 'combined', 'mismatched', 'half', 'authority', 'odd', 'odder'];
const mesh: readonly Manifest[] = [
  ...shop,
  ...ingress.filter(({ kind }) => kind !== 'Service'),
  service('istio-system/ingress', [
    { name: 'http2', port: 80, targetPort: 8080 },
    { name: 'https', port: 443, targetPort: 8443 },
  ]),
  ...secrets,
  gateway('shop/tls', {
    selector: { app: 'ingress' },
    servers: names.map((name) => ({
      port: { number: 443, name, protocol: 'HTTPS' },
      hosts: [`${name}.example.com`],
      tls: { mode: name === 'authority' ? 'MUTUAL' : 'SIMPLE', credentialName: name },
    })),
  }),
  virtualService('shop/tls', {
    hosts: ['*.example.com'],
    gateways: ['tls'],
    http: [{ route: [{ destination: { host: REVIEWS, port: { number: 80 } } }] }],
  }),
];

function expectClean(where: string, text: string): void {
  for (const trace of traces()) expect([where, text.includes(trace)]).toEqual([where, false]);
}

test('no page and no line of the log has any of it', async () => {
  const process = await TestProcess.start(mesh);
  takeAtTheirWord(process.xebec.pilot);
  const envoy = await process.connect(ingressPod);
  expect([...envoy.store.secret.keys()]).toEqual(['kubernetes://good']);
  await process.xebec.status.controller.refresh(new AbortController().signal);
  const { text: status } = await process.page('/debug/statusz');
  expect(status).toContain('"reason": "CertificateNotFound"');
  expect(status).toContain('Secret istio-system/garbage cannot be used: tls.crt has no CERTIFICATE in PEM');
  const { text: index } = await process.page('/debug');
  const pages = index.split('\n').map((line) => line.split(' ')[0] ?? '');
  expect(pages.length).toBeGreaterThan(8);
  const dump = `/debug/config_dump?proxy=${encodeURIComponent(envoy.id)}`;
  for (const page of [...pages, dump]) expectClean(page, (await process.page(page)).text);
  const told = process.xebec.pilot.diagnostics().map(({ code }) => code);
  expect(told).toContain('XEB2405');
  expectClean('diagnostics', JSON.stringify([process.xebec.pilot.diagnostics(), process.xebec.galley.diagnostics()]));
  expect(process.xebec.galley.diagnostics().map(({ object: about }) => about?.name)).toEqual(
    expect.arrayContaining(['odd', 'odder']),
  );
  expectClean('log', process.log.join('\n'));
});

test('the program prints none of it, whatever it is asked', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'xebec-leaks-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'mesh.yaml'), mesh.map((each) => JSON.stringify(each)).join('\n---\n'));
  const cut = JSON.stringify(secrets[0]).slice(0, -40);
  await writeFile(join(folder, 'torn.yaml'), `${cut}\n  ${PLANTED}: [\n`);
  const proxy = 'router~10.1.9.1~ingress.istio-system~istio-system.svc.cluster.local';
  for (const args of [
    ['validate', '-f', folder],
    ['validate', '--output', 'json', '-f', folder],
    ['config-dump', '--source', folder, '--proxy', proxy, '--output', 'json'],
    ['config-dump', '--source', folder, '--proxy', proxy, '--output', 'yaml'],
  ]) {
    const { out, err } = await new Program(args).end();
    expect([args, out + err]).toEqual([args, expect.stringMatching(/odder|kubernetes/)]);
    expectClean(args.join(' '), out + err);
    if (args.includes('config-dump') && args.includes('json')) expect(out).toContain('kubernetes://good');
  }
});
