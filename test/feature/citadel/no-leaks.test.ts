// Keys and tokens are planted wherever they may come in, rightly and by mistake. Whoever reads the log, a page, a dump, an answer or a number
// finds none of them.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { SecretStore } from '../../../src/citadel/authority/secret-store.ts';
import { describeIssuer } from '../../../src/citadel/describe-issuer.ts';
import { MemoryKube } from '../../../src/citadel/testing/memory-kube.ts';
import { startReplica } from '../../../src/citadel/testing/replica.ts';
import { createAuthority } from '../../../src/citadel/x509/authority.ts';
import { FolderSource } from '../../../src/galley/sources/folder-source.ts';
import { encodeMessage } from '../../../src/gen/codec.ts';
import { ManualClock } from '../../../src/kit/manual-clock.ts';
import { systemClock } from '../../../src/kit/system-clock.ts';
import { Pki } from '../../support/pki.ts';
import { takeAtTheirWord } from '../../support/proven.ts';
import { Program } from '../cli/program.ts';
import { destinationRule, gateway, type Manifest, meshConfig, object, withMeta } from '../pilot/support/manifests.ts';
import { ingress, ingressPod, reviewsPod, shop } from '../pilot/support/shop.ts';
import { ask, bearer, HANDLE, tokenOf } from './support/csr-world.ts';
import { SecureMesh } from './support/secure-mesh.ts';

type Plant = { readonly what: string; readonly text: string };

const pki = new Pki('authority');
const DAY = 86_400_000;
const validity = { notBefore: Date.now() - DAY, notAfter: Date.now() + DAY };
const authority = createAuthority({ subject: { commonName: 'plugged' }, validity });
const other = createAuthority({ subject: { commonName: 'other' }, validity });
const keyPem = (): string =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const good = pki.issue(['good.example.com']);
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
const token = tokenOf({ sub: 'planted' });

/** What must be seen nowhere, by what it was planted in. */
const plants: Plant[] = [];
function plant(what: string, pem: string = keyPem()): string {
  const lines = pem.split('\n').filter((line) => line !== '' && !line.startsWith('-'));
  for (const text of lines.length === 0 ? [pem] : lines) plants.push({ what, text });
  plants.push({ what, text: Buffer.from(pem).toString('base64').slice(8, 72) });
  return pem;
}

/** A private part as it stands in a JWK. */
function member(name: 'd' | 'p' | 'q'): string {
  const text = String(rsa[name]);
  plants.push({ what: `jwk ${name}`, text: text.slice(0, 40) });
  return text;
}

function secret(name: string, texts: Readonly<Record<string, string>>): Manifest {
  const data = Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
  );
  const manifest = object('v1', 'Secret', `istio-system/${name}`, { type: 'Opaque', data });
  return withMeta(manifest, {
    annotations: { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(manifest) },
  });
}

function given(): readonly Manifest[] {
  const jwk = { kty: 'RSA', n: rsa.n, e: rsa.e, d: member('d'), p: member('p'), q: member('q') };
  return [
    ...shop,
    ...ingress,
    secret('good', { 'tls.crt': good.certificate, 'tls.key': plant('Secret', good.key) }),
    secret('mismatched', { 'tls.crt': pki.issue(['x.example.com']).certificate, 'tls.key': plant('wrong Secret') }),
    secret('swapped', {
      'tls.crt': plant('Secret, in the place of the certificate'),
      'ca.crt': plant('Secret, in the place of the authority'),
    }),
    secret('istio-ca-secret', { 'ca-cert.pem': other.certificate, 'ca-key.pem': plant('istio-ca-secret', other.key) }),
    gateway('shop/tls', {
      selector: { app: 'ingress' },
      servers: ['good', 'mismatched', 'swapped'].map((name) => ({
        port: { number: 443, name, protocol: 'HTTPS' },
        hosts: [`${name}.example.com`],
        tls: { mode: 'SIMPLE', credentialName: name },
      })),
    }),
    gateway('shop/inline', {
      selector: { app: 'ingress' },
      servers: [
        {
          port: { number: 8443, name: 'inline', protocol: 'HTTPS' },
          hosts: ['inline.example.com'],
          tls: { mode: 'SIMPLE', serverCertificate: '/c.pem', privateKey: plant('Gateway, in the place of a path') },
        },
      ],
    }),
    gateway('shop/named', {
      selector: { app: 'ingress' },
      servers: [
        {
          port: { number: 9443, name: 'named', protocol: 'HTTPS' },
          hosts: ['named.example.com'],
          tls: { mode: 'SIMPLE', credentialName: plant('Gateway, in the place of a name') },
        },
      ],
    }),
    destinationRule('shop/db', {
      host: 'db',
      trafficPolicy: { tls: { mode: 'MUTUAL', clientCertificate: '/c.pem', privateKey: plant('DestinationRule') } },
    }),
    object('security.istio.io/v1', 'RequestAuthentication', 'shop/keys', {
      spec: { jwtRules: [{ issuer: 'i', jwks: JSON.stringify({ keys: [jwk] }) }] },
    }),
    object('security.istio.io/v1', 'RequestAuthentication', 'shop/torn', {
      spec: { jwtRules: [{ issuer: 'j', jwks: `{"keys": [${plant('jwks that is none')}` }] },
    }),
    object('security.istio.io/v1', 'AuthorizationPolicy', 'shop/odd', {
      spec: { rules: [], action: plant('word of a list') },
    }),
    meshConfig(`trustDomain: "${plant('MeshConfig').replaceAll('\n', '\\n')}"\nrootNamespace: istio-system\n`),
  ];
}

function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'xebec-planted-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

/** What is found of it where nothing should be. */
function found(where: string, text: string): readonly string[] {
  return plants.filter((each) => text.includes(each.text)).map(({ what }) => `${where}: ${what}`);
}

let mesh: readonly Manifest[] = [];
beforeAll(() => {
  mesh = given();
  plants.push({ what: 'token', text: token.slice(0, 80) }, { what: 'token', text: token.slice(-30) });
});

async function start(caCertsFolder: string): Promise<SecureMesh> {
  const path = folderOf({
    'torn.yaml': `apiVersion: v1\nkind: Secret\nmetadata: { name: torn }\ndata:\n  tls.key: ${plant('torn file').replaceAll('\n', ' ')}\n  - [\n`,
    'text.yaml': plant('file of no YAML'),
  });
  const sources = [new FolderSource({ path, clock: systemClock })];
  return SecureMesh.start(mesh, { logLevel: 'debug', sources, config: { caCertsFolder } });
}

async function pagesOf({ process }: SecureMesh, proxies: readonly string[]): Promise<readonly string[]> {
  await process.xebec.status.controller.refresh(new AbortController().signal);
  const { text: index } = await process.page('/debug');
  const pages = index.split('\n').map((line) => line.split(' ')[0] ?? '');
  const dumps = proxies.map((id) => `/debug/config_dump?proxy=${encodeURIComponent(id)}`);
  expect(pages.length).toBeGreaterThan(10);
  const leaks = await Promise.all(
    [...pages, ...dumps].map(async (page) => {
      const { status, text } = await process.page(page);
      expect([page, status, text.length > 0]).toEqual([page, expect.any(Number), true]);
      return found(page, text);
    }),
  );
  return leaks.flat();
}

/** Asks as strangers and workloads do that put keys and tokens where they can; what they are told. */
async function askAll(secure: SecureMesh): Promise<readonly string[]> {
  const { process } = secure;
  const said: string[] = [];
  const csr = plant('CSR');
  const metadata = { fields: { ImpersonatedIdentity: { stringValue: plant('metadata of a CSR') } } };
  for (const client of [secure.client(), secure.client(secure.pair('shop/default'))]) {
    for (const headers of [{}, bearer(token), bearer(csr.replaceAll('\n', '')), { authorization: `Basic ${token}` }]) {
      said.push(JSON.stringify(await ask(client, { csr, metadata }, headers)));
      const classic = encodeMessage('istio.v1.auth.CsrRequest', {
        csrPem: Buffer.from(csr),
        nodeAgentCredential: Buffer.from(token),
        credentialType: token,
      });
      said.push(JSON.stringify(await client.call(HANDLE, Buffer.from(classic), headers)));
      const asking = { ...reviewsPod, metadata: { ...reviewsPod.metadata, KEY: csr, TOKEN: token } };
      said.push(JSON.stringify(await secure.ask(client, asking, { headers })));
    }
  }
  expect(process.xebec.isReady).toBe(true);
  return said;
}

/** What becomes of the files of the authority, which signs on. */
const damages: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['of another certificate', { 'ca-key.pem': other.key }],
  ['in the place of a certificate', { 'ca-cert.pem': keyPem(), 'cert-chain.pem': keyPem() }],
  ['cut in half', { 'ca-key.pem': keyPem().slice(0, 120) }],
];

test('nothing is told of keys and tokens', async () => {
  for (const text of damages.flatMap(([, files]) => Object.values(files))) plant('damaged cacerts', text);
  const folder = folderOf({
    'ca-cert.pem': authority.certificate,
    'ca-key.pem': plant('cacerts', authority.key),
    'root-cert.pem': authority.certificate,
    'cert-chain.pem': authority.certificate,
  });
  const secure = await start(folder);
  const { process } = secure;
  takeAtTheirWord(process.xebec.pilot);
  const gatewayEnvoy = await process.connect(ingressPod);
  const sidecar = await process.connect(reviewsPod);
  // What is meant for it, it gets: the search can find something.
  const [sent] = gatewayEnvoy.store.secret.values();
  expect(found('gateway', Buffer.from(sent?.value ?? []).toString('latin1'))).toContain('gateway: Secret');
  for (const [name, files] of damages) {
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
    const before = process.log.length;
    await process.until(`said of a key ${name}`, () =>
      process.log.slice(before).some((line) => line.includes('authority is degraded')),
    );
  }
  const answers = await askAll(secure);
  expect(answers.flatMap((text) => found('answer', text))).toEqual([]);
  expect(await pagesOf(secure, [gatewayEnvoy.id, sidecar.id])).toEqual([]);
  const { text: numbers } = await process.page('/metrics');
  expect(found('metrics', numbers)).toEqual([]);
  expect(process.log.length).toBeGreaterThan(10);
  expect(process.log.flatMap((line) => found('log', line))).toEqual([]);
});

const kept: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['whole', { 'ca-cert.pem': authority.certificate, 'ca-key.pem': authority.key }],
  ['with the key of another', { 'ca-cert.pem': authority.certificate, 'ca-key.pem': other.key }],
  ['with a key in the place of the certificate', { 'ca-cert.pem': keyPem(), 'ca-key.pem': keyPem() }],
  ['with half a key', { 'ca-cert.pem': authority.certificate, 'ca-key.pem': keyPem().slice(0, 120) }],
];

test.each(kept)('nothing is told of an authority that Kubernetes keeps %s', async (name, files) => {
  for (const text of Object.values(files)) if (text.includes('PRIVATE')) plant('authority', text);
  const kube = new MemoryKube();
  const data = Object.fromEntries(
    Object.entries(files).map(([name, text]) => [name, Buffer.from(text).toString('base64')]),
  );
  const store = (secretName: string): SecretStore => {
    kube.put('secrets', { metadata: { namespace: 'istio-system', name: secretName }, type: 'istio.io/ca-root', data });
    return new SecretStore({ kube, reflect: kube.reflect, namespace: 'istio-system', secret: secretName });
  };
  const clock = new ManualClock(Date.now());
  const replica = startReplica(clock, { own: store('istio-ca-secret'), plugged: store('cacerts') });
  for (let turn = 0; turn < 3; turn += 1) await clock.advance(60_000);
  const about = describeIssuer(replica.authority.current(), replica.authority.problem());
  expect(JSON.stringify(about)).toMatch(name === 'whole' ? /"signer":\{/ : /"problem":"\w/);
  expect(replica.lines).not.toEqual([]);
  const told = [JSON.stringify(replica.lines), JSON.stringify(about), await replica.metrics.expose()];
  expect(told.flatMap((text) => found('told', text))).toEqual([]);
});

test('the program tells nothing of them either', async () => {
  const folder = folderOf({ 'mesh.yaml': mesh.map((each) => JSON.stringify(each)).join('\n---\n') });
  for (const args of [
    ['validate', '-f', folder],
    ['validate', '--output', 'json', '-f', folder],
    ['config-dump', '--source', folder, '--proxy', ingressPod.id, '--output', 'json'],
    ['config-dump', '--source', folder, '--proxy', reviewsPod.id, '--output', 'yaml'],
  ]) {
    const { out, err } = await new Program(args).end();
    expect([args[0], (out + err).length > 100]).toEqual([args[0], true]);
    expect(found(args.join(' '), out + err)).toEqual([]);
  }
});
