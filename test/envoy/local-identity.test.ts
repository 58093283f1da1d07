// Who pods of local mode are, and what that is good for.
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { filesSeenBy, identityOf, identitySeen } from '../support/identities.ts';
import { useMesh } from '../support/mesh.ts';
import { client, echo, gateway, outside, service } from '../support/workloads.ts';

const hadFolder = existsSync('/etc/certs');
const mesh = useMesh({ publish: [80] });
mesh.given(
  client('caller'),
  client('other', { account: 'shared' }),
  client('plain', outside),
  echo('web', 'v1', ['http:8080', 'tcp:9000']),
  service('web', ['http:8080', 'tcp:9000'], { selector: { app: 'web' } }),
  ...gateway('ingress', ['http:80>8000']),
);

const FILES = ['cert-chain.pem', 'key.pem', 'root-cert.pem', 'sds-cert.yaml', 'sds-root.yaml'];

const STRICT = `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: istio-system }
spec: { mtls: { mode: STRICT } }
`;

const DENY_OTHER = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: deny-other, namespace: default }
spec:
  selector: { matchLabels: { app: web } }
  action: DENY
  rules: [{ from: [{ source: { principals: [cluster.local/ns/default/sa/shared] } }] }]
`;

const principal = (account: string): string => `spiffe://cluster.local/ns/default/sa/${account}`;

describe('identities', () => {
  test('each pod with Envoy is its service account, and only it has one', async () => {
    const named = async (deployment: string): Promise<string | undefined> =>
      (await mesh.pod(deployment)).identity?.spiffeId;
    expect(await named('caller')).toBe(principal('caller'));
    expect(await named('other')).toBe(principal('shared'));
    expect(await named('ingress')).toBe('spiffe://cluster.local/ns/istio-system/sa/ingress');
    expect(await named('plain')).toBeUndefined();
  });

  test('the host has nothing of it, and no pod anything of another one', async () => {
    expect(existsSync('/etc/certs')).toBe(hadFolder);
    const { certificate, key, roots } = await identityOf(mesh, 'caller');
    expect([certificate, key, roots].map((pem) => pem.split('\n')[0])).toEqual([
      '-----BEGIN CERTIFICATE-----',
      '-----BEGIN PRIVATE KEY-----',
      '-----BEGIN CERTIFICATE-----',
    ]);
    expect(await filesSeenBy(mesh, 'caller')).toEqual(FILES);
    expect(await filesSeenBy(mesh, 'plain')).toEqual([]);
  });
});

describe('mutual TLS', () => {
  test('pods speak it without being told to, and the app hears who called', async () => {
    const seen = await mesh.call('caller', 'http://web:8080/');
    expect([seen.status, identitySeen(seen)]).toEqual([200, principal('caller')]);
    const plain = await mesh.call('plain', 'http://web.default:8080/');
    expect([plain.status, identitySeen(plain)]).toEqual([200, undefined]);
  });

  test('STRICT refuses plain text, and nothing else', async () => {
    await mesh.apply('strict', STRICT);
    const plain = await mesh.call('plain', 'http://web.default:8080/');
    expect(plain.error).toMatch(/ECONNRESET|hang up/);
    expect((await mesh.call('plain', 'tcp://web.default:9000')).echo).toBeUndefined();
    expect((await mesh.call('caller', 'http://web:8080/')).status).toBe(200);
    expect((await mesh.call('caller', 'tcp://web:9000')).echo?.app).toBe('web');
    await mesh.remove('strict');
    expect((await mesh.call('plain', 'http://web.default:8080/')).status).toBe(200);
  });

  test('whoever has the files of an identity can speak without Envoy', async () => {
    const { certificate, key } = await identityOf(mesh, 'other');
    const tls = { certificate, key, serverName: 'anything', protocols: ['istio-http/1.1', 'istio'] };
    const seen = await mesh.call('plain', 'https://web.default:8080/', { tls });
    expect([seen.status, identitySeen(seen)]).toEqual([200, principal('shared')]);
  });

  test('the control plane has no port for those who do not', async () => {
    expect((await mesh.call('plain', 'tcp://10.244.0.1:15010')).error).toContain('ECONNREFUSED');
    expect((await mesh.call('plain', 'tcp://10.244.0.1:15012')).error).not.toContain('ECONNREFUSED');
  });
});

test('a policy denies one identity, and says so', async () => {
  await mesh.apply('deny', DENY_OTHER);
  const denied = await mesh.call('other', 'http://web:8080/');
  expect([denied.status, denied.body]).toEqual([403, 'RBAC: access denied']);
  expect((await mesh.call('caller', 'http://web:8080/')).status).toBe(200);
  expect((await mesh.call('other', 'tcp://web:9000')).echo).toBeUndefined();
});
