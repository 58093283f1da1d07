// Bulletins of Istio whose attack nothing else replays, and that no Envoy is needed for.
import { createPublicKey, X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { monitoringRoutes } from '../../../src/app/admin.ts';
import { parseProcessConfig } from '../../../src/app/config.ts';
import { RpcStatusCode } from '../../../src/rpc/status.ts';
import { PromMetrics } from '../../../src/telemetry/prom-metrics.ts';
import { checkout } from '../docs/documents.ts';
import { httpPort, object, pod, service } from '../pilot/support/manifests.ts';
import { node } from '../pilot/support/process.ts';
import { type Node, SecureMesh } from './support/secure-mesh.ts';

const SECRET_TEXT = 'only-the-bank-knows';
const world = [
  service('shop/web', [httpPort]),
  pod('shop/web', '10.1.0.1', { app: 'web' }),
  service('bank/ledger', [httpPort]),
  pod('bank/ledger', '10.1.1.1', { app: SECRET_TEXT }),
  object('security.istio.io/v1', 'AuthorizationPolicy', 'bank/p', {
    spec: { action: 'DENY', rules: [{ to: [{ operation: { paths: [`/${SECRET_TEXT}`] } }] }] },
  }),
];
const web: Node = node('shop/web', '10.1.0.1', { labels: { app: 'web' } });

/** What Istio's control plane answers about itself, and configuration as such. */
const debugTypes: readonly string[] = [
  ...['istio.io/debug', 'istio.io/debug/syncz', 'istio.io/debug/config_dump', 'istio.io/connections'],
  ...['istio.io/debug/registryz', 'debug', 'syncz', 'event', 'istio.io/debug/configz'],
  ...['networking.istio.io/v1/VirtualService', 'security.istio.io/v1/AuthorizationPolicy', 'core/v1/Secret'],
  ...['type.googleapis.com/istio.v1.auth.Secret', 'type.googleapis.com/envoy.service.status.v3.ClientConfig'],
];

const { UNAUTHENTICATED, PERMISSION_DENIED, INVALID_ARGUMENT, NOT_FOUND, UNIMPLEMENTED } = RpcStatusCode;
const refusals = [UNAUTHENTICATED, PERMISSION_DENIED, INVALID_ARGUMENT, NOT_FOUND, UNIMPLEMENTED];

describe('2026-001 (CVE-2026-31838): what the control plane knows of the whole mesh', () => {
  test.each(debugTypes)('2026-001: %s is told to no workload', async (typeUrl) => {
    const mesh = await SecureMesh.start(world);
    for (const asking of [web, { ...web, metadata: { ...web.metadata, GENERATOR: 'event' } }]) {
      for (const pair of [mesh.pair('shop/default'), undefined]) {
        const outcome = await mesh.ask(mesh.client(pair), asking, { typeUrl });
        expect(JSON.stringify(outcome)).not.toContain('ledger');
        if (outcome.kind === 'served') expect(outcome.names).toEqual([]);
        else expect(refusals).toContain(outcome.status.code);
      }
    }
  });

  test('2026-001: the port that others reach has pages for probes and numbers alone; debug pages are for this machine', async () => {
    const mesh = await SecureMesh.start(world);
    const pages = [...monitoringRoutes(mesh.process.xebec, new PromMetrics()).keys()];
    expect(pages.sort()).toEqual(['/', '/debug/distributionz', '/healthz', '/metrics', '/ready']);
    for (const page of pages) expect((await mesh.process.page(page)).text).not.toContain(SECRET_TEXT);
    const config = parseProcessConfig({ source: 'mesh' }, {});
    expect(config).toMatchObject({ ok: true, value: { admin: { host: '127.0.0.1' }, monitoring: undefined } });
  });
});

describe('2020-004 (CVE-2020-1764): keys that everybody knows', () => {
  test('2020-004: two meshes have nothing secret in common', async () => {
    const meshes = [await SecureMesh.start(world), await SecureMesh.start(world)];
    const keys = meshes.map(({ issuer }) => new X509Certificate(issuer.signer.certificate).publicKey);
    const [a, b] = keys.map((key) =>
      createPublicKey(key.export({ type: 'spki', format: 'pem' })).export({ type: 'spki', format: 'der' }),
    );
    expect(a?.equals(b ?? Buffer.alloc(0))).toBe(false);
    expect(meshes[0]?.issuer.signer.key).not.toBe(meshes[1]?.issuer.signer.key);
  });

  test('2020-004: nothing that is shipped has a key in it', () => {
    const isKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----\s*[\w+/=]{16}|"d"\s*:\s*"[\w-]{20}/;
    const files = ['src', 'charts', 'samples', 'crds', 'bin'].flatMap((folder) =>
      readdirSync(join(checkout, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name)),
    );
    expect(files.length).toBeGreaterThan(300);
    expect(files.filter((file) => isKey.test(readFileSync(file, 'utf8')))).toEqual([]);
  });
});
