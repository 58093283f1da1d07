import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { collectionFor } from '../../src/apis/collections.ts';
import { parseDocument } from '../../src/galley/yaml/parse-document.ts';
import { splitDocuments } from '../../src/galley/yaml/split-documents.ts';
import { isRecord } from '../../src/kube/json.ts';
import { createAuthority } from '../../test/support/certificates.ts';
import { checkout } from '../../tools/paths.mjs';
import type { Figure } from '../measure/report.ts';
import { median, percentile } from '../measure/stats.ts';
import { defaultPlan } from '../mesh/mesh.ts';
import { BareHttps } from '../server/bare-https-process.ts';
import type { Usage } from '../server/proc.ts';
import type { Row, RowContext } from './row.ts';
import { prepareMesh } from './scene.ts';

/** Reviews that are asked one after the other, on one connection. */
const ASKED = 1_000;
const SERVICES = 1_000;

/** From a review to its answer: how long whoever applies an object waits for us. */
export const validation: Row = {
  name: 'validation',
  run: async (context) => {
    const pair = writePair(context.work);
    const flags = [
      '--webhook',
      '127.0.0.1:0',
      '--webhook-cert-file',
      pair.certFile,
      '--webhook-key-file',
      pair.keyFile,
    ];
    const source = prepareMesh(context, { ...defaultPlan, services: SERVICES });
    const server = context.serve({ source, flags });
    await server.ready();
    const bare = await BareHttps.start(pair.certFile, pair.keyFile);
    try {
      const compared = {
        ours: { port: await server.webhookPort(), usage: () => server.usage() },
        bare: { port: bare.port, usage: () => bare.usage() },
        context,
      };
      return [
        {
          row: 7,
          title: 'Admission review → answer',
          conditions: `HTTPS, one connection that stays, one review at a time; every kind in every version that it has samples of, beside a mesh of ${SERVICES} services. The bare server reads the same bodies over the same TLS and says yes. Median of ${rounds(context)} rounds of ${ASKED}, in alternation.`,
          figures: [
            ...(await measureBoth('valid objects', { list: reviewsOf('objects'), allowed: true }, compared)),
            ...(await measureBoth('invalid objects', { list: reviewsOf('invalid'), allowed: false }, compared)),
          ],
          notes: ['Comparing an object with the others of the mesh is part of ours.'],
        },
      ];
    } finally {
      await bare.stop();
    }
  },
};

function rounds({ full }: RowContext): number {
  return full ? 9 : 3;
}

type Target = { readonly port: number; readonly usage: () => Usage };
type Sample = { readonly p50Ms: number; readonly p99Ms: number; readonly cpuMs: number };
type Comparison = {
  readonly ours: Target;
  readonly bare: Target;
  readonly context: RowContext;
};
type Bodies = { readonly list: readonly string[]; readonly allowed: boolean };

async function measureBoth(
  workload: string,
  bodies: Bodies,
  { ours, bare, context }: Comparison,
): Promise<readonly Figure[]> {
  const [our, their]: [Sample[], Sample[]] = [[], []];
  await ask(ours, bodies, bodies.allowed);
  await ask(bare, bodies, undefined);
  for (let round = 0; round < rounds(context); round += 1) {
    our.push(await ask(ours, bodies, bodies.allowed));
    their.push(await ask(bare, bodies, undefined));
  }
  const of = (samples: readonly Sample[], read: (sample: Sample) => number): number => median(samples.map(read));
  const figure = (what: string, read: (sample: Sample) => number): Figure => ({
    ...{ workload, what, value: of(our, read), unit: 'ms' },
    beside: [{ to: 'bare HTTPS', value: of(their, read) }],
  });
  return [
    figure('p50', ({ p50Ms }) => p50Ms),
    { ...figure('p99', ({ p99Ms }) => p99Ms), goal: 10 },
    figure('server CPU of one', ({ cpuMs }) => cpuMs),
  ];
}

/** Asks, and demands the answer that it must be. */
async function ask({ port, usage }: Target, { list }: Bodies, allowed: boolean | undefined): Promise<Sample> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
  const times: number[] = [];
  await post(port, agent, list[0] ?? '');
  const before = usage().cpuMs;
  for (let index = 0; index < ASKED; index += 1) {
    const start = performance.now();
    const answer = await post(port, agent, list[index % list.length] ?? '');
    times.push(performance.now() - start);
    if (allowed !== undefined && !answer.includes(`"allowed":${allowed}`)) throw new Error(`not ${allowed}: ${answer}`);
  }
  const cpuMs = (usage().cpuMs - before) / ASKED;
  agent.destroy();
  return { p50Ms: percentile(times, 0.5), p99Ms: percentile(times, 0.99), cpuMs };
}

function post(port: number, agent: Agent, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const call = request(
      { host: '127.0.0.1', port, path: '/validate', method: 'POST', agent, headers, servername: NAME },
      (reply) => {
        let text = '';
        reply.setEncoding('utf8');
        reply.on('data', (chunk: string) => (text += chunk));
        reply.on('end', () => resolve(text));
        reply.on('error', reject);
      },
    );
    call.on('error', reject);
    call.end(body);
  });
}

const NAME = 'xebec.istio-system.svc';

function writePair(work: string): { readonly certFile: string; readonly keyFile: string } {
  const folder = join(work, 'tls');
  mkdirSync(folder);
  const { certificate, key } = createAuthority().issue([NAME]);
  const files = { certFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key') };
  writeFileSync(files.certFile, certificate);
  writeFileSync(files.keyFile, key);
  return files;
}

/** The objects that the tests show to a real API server, as it would ask about them. */
function reviewsOf(folder: 'objects' | 'invalid'): readonly string[] {
  const root = join(checkout, 'test', 'cluster', folder);
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml'));
  return files.flatMap((name) =>
    splitDocuments(readFileSync(join(root, name), 'utf8')).map(({ text }) => {
      const parsed = parseDocument(text);
      if (!parsed.ok || !isRecord(parsed.value.value)) throw new Error(`${name} has a document that is no object`);
      return reviewOf(parsed.value.value);
    }),
  );
}

function reviewOf(object: Readonly<Record<string, unknown>>): string {
  const { apiVersion, kind } = object;
  const collection = collectionFor(String(apiVersion), String(kind));
  if (collection === undefined) throw new Error(`${String(apiVersion)} ${String(kind)} is not read`);
  const [group, version] = String(apiVersion).split('/');
  const review = {
    uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
    kind: { group, version, kind },
    resource: { group, version, resource: collection.plural },
    name: 'sample',
    namespace: 'default',
    operation: 'CREATE',
    userInfo: { username: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] },
    object,
    oldObject: null,
    dryRun: false,
  };
  return JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: review });
}
