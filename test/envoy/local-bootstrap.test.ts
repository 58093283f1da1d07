// Envoy itself reads every form of the bootstrap, without a warning.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type BootstrapInputs, renderBootstrap } from '../../src/injector/bootstrap.ts';
import { envoyBinary } from '../../tools/paths.mjs';

const folder = mkdtempSync(join(tmpdir(), 'xebec-bootstrap-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const plain: BootstrapInputs = {
  kind: 'sidecar',
  name: 'reviews-v1-0',
  namespace: 'default',
  addresses: ['10.244.0.5'],
  domain: 'cluster.local',
  labels: { app: 'reviews' },
  serviceAccount: 'reviews',
  workloadName: 'reviews-v1',
  clusterId: 'Kubernetes',
  network: '',
  locality: { region: 'eu', zone: 'eu-1', subzone: '' },
  interception: 'REDIRECT',
  dnsCapture: true,
  podPorts: [{ name: 'http', containerPort: 9080, protocol: 'TCP' }],
  nodeName: 'local',
  version: '0.1.0',
  discovery: { host: '10.244.0.1', port: 15010, security: { kind: 'plaintext' } },
  stats: { kind: 'all' },
  adminSocket: join(folder, 'admin.sock'),
  overload: undefined,
};

const forms: Readonly<Record<string, BootstrapInputs>> = {
  'local mode': plain,
  'a pod that counts little': {
    ...plain,
    adminSocket: undefined,
    stats: { kind: 'matching', prefixes: ['http'], suffixes: ['_cx_total'], regexes: ['cluster.*'] },
  },
  'a gateway with limits, its control plane by name and with its own identity': {
    ...plain,
    kind: 'router',
    adminSocket: undefined,
    discovery: {
      host: 'istiod.istio-system.svc',
      port: 15012,
      security: { kind: 'mutual-tls', folder, serverNames: ['istiod.istio-system.svc'] },
    },
    overload: { maxHeapBytes: 500_000_000, maxConnections: 10_000 },
  },
};

test.each(Object.entries(forms))('%s', (_name, inputs) => {
  for (const file of ['sds-cert.yaml', 'sds-root.yaml']) writeFileSync(join(folder, file), 'resources: []\n');
  const config = JSON.stringify(renderBootstrap(inputs));
  const { status, stderr } = spawnSync(
    envoyBinary(),
    ['--mode', 'validate', '--log-level', 'warning', '--config-yaml', config],
    {
      encoding: 'utf8',
    },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});
