import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { kubeconfig } from '../../../src/kube/testing/connected.ts';
import { answer, FakeApiServer } from '../../../src/kube/testing/fake-api-server.ts';
import { checkout, nodeBinary } from '../../../tools/paths.mjs';

const SLICES = 10_000;
const ENDPOINTS = 10;

/** As the API server gives one: half of it is of no interest to anybody here. */
function endpointSlice(index: number): object {
  const fields = Object.fromEntries(
    Array.from({ length: 40 }, (_, field) => [`f:field-${index}-${field}`, { '.': {} }]),
  );
  return {
    metadata: {
      name: `service-${index}-abcde`,
      namespace: `ns-${index % 50}`,
      uid: `00000000-0000-0000-0000-${String(index).padStart(12, '0')}`,
      resourceVersion: String(1_000 + index),
      labels: { 'kubernetes.io/service-name': `service-${index}` },
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': 'x'.repeat(4_000) },
      managedFields: [{ manager: 'kube-controller-manager', operation: 'Update', fieldsV1: fields }],
    },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: Array.from({ length: ENDPOINTS }, (_, endpoint) => ({
      addresses: [`10.${index >> 8}.${index & 255}.${endpoint}`],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: `node-${endpoint}`,
      zone: 'zone-a',
      targetRef: { kind: 'Pod', name: `service-${index}-${endpoint}`, namespace: `ns-${index % 50}` },
    })),
  };
}

test('ten thousand EndpointSlices are read in a heap that their raw form would not fit into', async () => {
  let sent = 0;
  const server = await FakeApiServer.start(({ query }, response) => {
    if (query.get('watch') === 'true') return;
    const from = Number(query.get('continue') ?? '0');
    const to = Math.min(SLICES, from + Number(query.get('limit')));
    const items = Array.from({ length: to - from }, (_, offset) => endpointSlice(from + offset));
    sent += JSON.stringify(items).length;
    const metadata = { resourceVersion: '20000', ...(to < SLICES ? { continue: String(to) } : {}) };
    answer(response, 200, { metadata, items });
  });
  onTestFinished(() => server.stop());
  const folder = await mkdtemp(join(tmpdir(), 'xebec-memory-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'kubeconfig');
  await writeFile(file, kubeconfig(`http://127.0.0.1:${server.port}`));
  const program = join(checkout, 'test/support/apps/reflect.ts');
  const { stdout } = await promisify(execFile)(nodeBinary, ['--expose-gc', '--max-old-space-size=100', program, file]);
  const { objects, bytes, maxRssBytes } = JSON.parse(stdout) as Record<'objects' | 'bytes' | 'maxRssBytes', number>;
  console.log(
    `${SLICES} EndpointSlices of ${ENDPOINTS} endpoints: ${Math.round(sent / 1e6)} MB of JSON, kept ${Math.round(bytes / 1e3 / (SLICES / 1_000))} kB per 1,000, at most ${Math.round(maxRssBytes / 1e6)} MB resident`,
  );
  expect(objects).toBe(SLICES);
  expect(bytes).toBeLessThan(0.6 * sent);
}, 60_000);
