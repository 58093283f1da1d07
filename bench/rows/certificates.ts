import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { type Issuer, issueIdentity } from '../../src/citadel/issuer.ts';
import { requestOf, requestPem } from '../../src/citadel/testing/hostile.ts';
import { createAuthority } from '../../src/citadel/x509/authority.ts';
import { encodeMessage } from '../../src/gen/codec.ts';
import { RpcClient } from '../../src/rpc/rpc-client.ts';
import { RpcStatusCode } from '../../src/rpc/status.ts';
import type { Figure } from '../measure/report.ts';
import { median, percentile } from '../measure/stats.ts';
import { defaultPlan, type MeshPlan } from '../mesh/mesh.ts';
import type { XebecProcess } from '../server/xebec-process.ts';
import { measureChanges } from './changes.ts';
import { endpointFlip } from './endpoint-change.ts';
import type { Row, RowContext } from './row.ts';
import { endScene, type Scene, setScene } from './scene.ts';

const METHOD = '/istio.v1.auth.IstioCertificateService/CreateCertificate';
const HOUR_MS = 3_600_000;
const PROXIES = 1_000;
const plan: MeshPlan = { ...defaultPlan, services: 100, endpointsPerService: 10, pods: true };

/** From a certificate request to its certificate, alone and beside pushes. */
export const certificates: Row = {
  name: 'certificates',
  run: async (context) => {
    const issuer = makeIssuer();
    const flags = ['--xds', '127.0.0.1:0', '--ca-certs-folder', writeAuthority(context.work, issuer)];
    const scene = await setScene(context, { plan, proxies: PROXIES, protocol: 'delta', flags });
    const keys = { 'P-256': ecRequest(), 'RSA-2048': rsaRequest() };
    const figures: Figure[] = [];
    for (const [name, request] of Object.entries(keys)) {
      for (const clients of [1, 16, 64])
        figures.push(...(await measureAlone({ name, request, clients }, scene.server, issuer)));
    }
    figures.push(...(await measureBesidePushes(context, scene, keys['P-256'], issuer)));
    await endScene(scene);
    return [
      {
        row: 5,
        title: 'Certificate requests',
        conditions: `CreateCertificate over mutual TLS, each client on a connection of its own and in a namespace of its own, one request at a time, ${SECONDS} s each; a P-256 authority; the server and its signing thread on one core, which may issue 200 a second. Beside pushes: 64 clients ask while an endpoint goes or comes back at ${PROXIES} proxies.`,
        figures,
        notes: [
          'bare: node:crypto signs as many bytes as a certificate has with the same kind of key as the authority.',
        ],
      },
    ];
  },
};

const SECONDS = 3;

type Load = { readonly name: string; readonly request: Buffer; readonly clients: number };

function makeIssuer(): Issuer {
  const validity = { notBefore: Date.now() - HOUR_MS, notAfter: Date.now() + 1000 * HOUR_MS };
  const signer = createAuthority({ subject: { organization: 'bench' }, validity });
  return { signer, intermediates: '', roots: signer.certificate, trustDomain: 'cluster.local' };
}

function writeAuthority(work: string, { signer }: Issuer): string {
  const folder = join(work, 'ca');
  mkdirSync(folder);
  const files = {
    'ca-cert.pem': signer.certificate,
    'ca-key.pem': signer.key,
    'root-cert.pem': signer.certificate,
    'cert-chain.pem': '',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

function messageOf(csr: string): Buffer {
  return Buffer.from(encodeMessage('istio.v1.auth.IstioCertificateRequest', { csr, validityDuration: 3600 }));
}

function ecRequest(): Buffer {
  return messageOf(requestPem(requestOf({ keys: generateKeyPairSync('ec', { namedCurve: 'P-256' }) })));
}

function rsaRequest(): Buffer {
  const signature = { oid: '1.2.840.113549.1.1.11', hash: 'sha256' };
  return messageOf(requestPem(requestOf({ keys: generateKeyPairSync('rsa', { modulusLength: 2048 }), signature })));
}

/** Clients that ask until they are told to stop; the answer is how long each certificate took. */
class Askers {
  readonly #clients: readonly RpcClient[];
  readonly #request: Buffer;
  readonly #times: number[] = [];
  #isOver = false;
  #running: readonly Promise<void>[] = [];

  constructor(port: number, request: Buffer, identities: { readonly count: number; readonly issuer: Issuer }) {
    const { count, issuer } = identities;
    this.#request = request;
    this.#clients = Array.from({ length: count }, (_, index) => {
      const identity = { namespace: `team-${index}`, serviceAccount: 'default' };
      const { chain, key = '' } = issueIdentity(issuer, { identity, now: Date.now(), lifetimeMs: HOUR_MS });
      const pair = { certificate: chain, key };
      const tls = { roots: issuer.roots, serverName: 'istiod.istio-system.svc', pair };
      return new RpcClient(`127.0.0.1:${port}`, { tls });
    });
  }

  /** Connects, and asks once. */
  async warm(): Promise<void> {
    await Promise.all(this.#clients.map((client) => this.#ask(client)));
    this.#times.length = 0;
  }

  start(): void {
    this.#running = this.#clients.map(async (client) => {
      while (!this.#isOver) await this.#ask(client);
    });
  }

  async stop(): Promise<readonly number[]> {
    this.#isOver = true;
    await Promise.all(this.#running);
    for (const client of this.#clients) client.close();
    return this.#times;
  }

  async #ask(client: RpcClient): Promise<void> {
    const start = performance.now();
    const { status } = await client.call(METHOD, this.#request);
    if (status.code !== RpcStatusCode.OK) throw new Error(`no certificate: ${status.message}`);
    this.#times.push(performance.now() - start);
  }
}

async function measureAlone(
  { name, request, clients }: Load,
  server: XebecProcess,
  issuer: Issuer,
): Promise<readonly Figure[]> {
  const askers = new Askers(await server.securePort(), request, { count: clients, issuer });
  await askers.warm();
  const before = server.usage().cpuMs;
  const began = performance.now();
  askers.start();
  await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000));
  const times = await askers.stop();
  const seconds = (performance.now() - began) / 1000;
  const cpuMs = (server.usage().cpuMs - before) / times.length;
  const workload = `${name} keys, ${clients} clients`;
  return [
    { workload, what: 'certificates a second (at most 200)', value: times.length / seconds, unit: '' },
    { workload, what: 'p50', value: percentile(times, 0.5), unit: 'ms' },
    { workload, what: 'p99', value: percentile(times, 0.99), unit: 'ms' },
    { workload, what: 'server CPU of one', value: cpuMs, unit: 'ms', beside: [{ to: 'bare', value: bareSignMs() }] },
  ];
}

async function measureBesidePushes(
  context: RowContext,
  scene: Scene,
  request: Buffer,
  issuer: Issuer,
): Promise<readonly Figure[]> {
  const flips = (from: number): Parameters<typeof measureChanges>[1] =>
    Array.from({ length: context.full ? 50 : 12 }, (_, index) => endpointFlip(plan, from + index));
  const [without, beside]: [number[], number[]] = [[], []];
  // In alternation: what disturbs the machine for a while disturbs both.
  for (let round = 0; round < 3; round += 1) {
    without.push(...(await measureChanges(scene, flips(200 * round), { gapMs: 100 })).arrivedMs);
    const askers = new Askers(await scene.server.securePort(), request, { count: 64, issuer });
    await askers.warm();
    askers.start();
    beside.push(...(await measureChanges(scene, flips(200 * round + 100), { gapMs: 100 })).arrivedMs);
    await askers.stop();
  }
  const workload = `a push to ${PROXIES} proxies beside 64 clients`;
  const figure = (what: string, share: number): Figure => ({
    ...{ workload, what, value: percentile(beside, share), unit: 'ms' },
    beside: [{ to: 'without them', value: percentile(without, share) }],
  });
  return [figure('last byte p50', 0.5), figure('last byte p99', 0.99)];
}

function bareSignMs(): number {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return median(Array.from({ length: 200 }, () => timeOf(privateKey)));
}

function timeOf(key: KeyObject): number {
  const body = Buffer.alloc(500, 1);
  const start = performance.now();
  sign('sha256', body, key);
  return performance.now() - start;
}
