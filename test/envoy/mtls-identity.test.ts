// Who may be behind an address, and who calls: servers and clients of this mesh, of its trust domain's aliases, and of nobody.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createAuthority, issueLeaf, type KeyPair } from '../../src/citadel/x509/authority.ts';
import { identitySeen } from '../support/identities.ts';
import { useMesh } from '../support/mesh.ts';
import { peerMode, server } from '../support/mtls-servers.ts';
import { wireOf } from '../support/mtls-wire.ts';
import { client, echo, type Manifest, outside } from '../support/workloads.ts';

const HOUR_MS = 3_600_000;
const validity = { notBefore: Date.now() - HOUR_MS, notAfter: Date.now() + HOUR_MS };
// The test has the root of the mesh, and so can be anybody.
const root = createAuthority({ subject: { commonName: 'root' }, validity });
// Servers of another mesh, as far as anybody sees: an app that ends TLS itself.
const domains = ['new', 'old', 'evil'] as const;

const mesh = useMesh({
  meshConfig: 'trustDomain: new.example\ntrustDomainAliases: [old.example]\nconnectTimeout: 2s',
  environment: ({ certificates }) => {
    for (const name of domains) {
      const { certificate, key } = leafFor(`${name}.example`);
      writeAll(join(certificates, name), { 'server.crt': certificate, 'server.key': key });
    }
    const plugged = join(certificates, 'plugged');
    writeAll(plugged, {
      'ca-cert.pem': root.certificate,
      'ca-key.pem': root.key,
      'cert-chain.pem': root.certificate,
      'root-cert.pem': root.certificate,
    });
    return { XEBEC_CA_CERTS_FOLDER: plugged };
  },
});

function writeAll(folder: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}

mesh.given(client('client'), client('stranger', outside), ...server('open'), ...server('strict'), ...server('plain'));
mesh.given(peerMode('open', 'PERMISSIVE'), peerMode('strict', 'STRICT'), peerMode('plain', 'DISABLE'));

const wire = (from: string, url: string, app: string): Promise<string> =>
  wireOf(mesh, { from, url, server: `${app}-v1` });

type EntryOptions = { readonly location: string; readonly endpoint: object; readonly more?: object };

function serviceEntry(host: string, { location, endpoint, more = {} }: EntryOptions): Manifest {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: { name: host, namespace: 'default' },
    spec: {
      hosts: [`${host}.example.com`],
      addresses: [{ right: '240.9.0.1', wrong: '240.9.0.2', named: '240.9.0.3' }[host] ?? '240.9.0.4'],
      ports: [
        { number: 80, name: 'http', protocol: 'HTTP', targetPort: 8080 },
        { number: 81, name: 'grpc', protocol: 'GRPC', targetPort: 8081 },
        { number: 9000, name: 'tcp', protocol: 'TCP' },
      ],
      resolution: 'STATIC',
      location,
      endpoints: [endpoint],
      ...more,
    },
  };
}

describe('a server outside the mesh', () => {
  test('is called as the application does, though it could take more', async () => {
    const endpoint = {
      address: await mesh.addressOf('open-v1'),
      labels: { 'security.istio.io/tlsMode': 'istio' },
      serviceAccount: 'open-v1',
    };
    await mesh.during('given', serviceEntry('world', { location: 'MESH_EXTERNAL', endpoint }));
    for (const url of ['http://world.example.com/', 'grpc://world.example.com:81', 'tcp://240.9.0.4:9000'])
      expect([url, await wire('client', url, 'open')]).toEqual([url, 'plaintext']);
  });

  test('dialled by its own address, neither', async () => {
    const address = await mesh.addressOf('open-v1');
    await mesh.during('given', {
      apiVersion: 'networking.istio.io/v1',
      kind: 'ServiceEntry',
      metadata: { name: 'dialled', namespace: 'default' },
      spec: {
        hosts: ['dialled.example.com'],
        addresses: [address],
        ports: [{ number: 9070, name: 'tcp', protocol: 'TCP' }],
        resolution: 'NONE',
        location: 'MESH_EXTERNAL',
      },
    });
    expect(await wire('client', `tcp://${address}:9070`, 'open')).toBe('plaintext');
  });
});

describe('a server that is somebody else than it should be', () => {
  const urls = (host: string, address: string): readonly string[] => [
    `http://${host}.example.com/`,
    `grpc://${host}.example.com:81`,
    `tcp://${address}:9000`,
  ];

  test('gets nothing', async () => {
    const address = await mesh.addressOf('strict-v1');
    const location = 'MESH_INTERNAL';
    const [right, wrong] = ['strict-v1', 'somebody'].map((serviceAccount) => ({ address, serviceAccount }));
    await mesh.during(
      'given',
      serviceEntry('right', { location, endpoint: right ?? {} }),
      serviceEntry('wrong', { location, endpoint: wrong ?? {} }),
      serviceEntry('named', {
        location,
        endpoint: wrong ?? {},
        more: { subjectAltNames: ['spiffe://new.example/ns/default/sa/strict-v1'] },
      }),
    );
    for (const url of [...urls('right', '240.9.0.1'), ...urls('named', '240.9.0.3')])
      expect([url, await wire('client', url, 'strict')]).toEqual([url, 'mutual']);
    const misses = (): Promise<number> => mesh.stat('client', /^cluster\..*\.ssl\.fail_verify_san$/);
    const arrived = (await mesh.requests('strict-v1')).length;
    for (const url of urls('wrong', '240.9.0.2')) {
      const before = await misses();
      const outcome = await mesh.call('client', url);
      expect([url, outcome.echo, outcome.error === 'timeout']).toEqual([url, undefined, false]);
      expect(await misses()).toBeGreaterThan(before);
    }
    expect((await mesh.requests('strict-v1')).length).toBe(arrived);
  });
});

function leafFor(trustDomain: string): KeyPair {
  const names = [{ kind: 'uri', value: `spiffe://${trustDomain}/ns/default/sa/legacy` }] as const;
  return issueLeaf(root, { subject: {}, names, usages: ['server', 'client'], validity });
}
describe('trust domains of one root', () => {
  for (const name of domains) {
    mesh.given((folders) => {
      const args = ['--certs', join(folders.certificates, name)];
      return echo(name, 'v1', ['https:8443'], { ...outside, account: 'legacy', args })(folders);
    });
  }

  test('a server of an alias is one of the mesh, and of another domain it is not', async () => {
    const entries = domains.map(async (name) => ({
      ...serviceEntry(name, { location: 'MESH_INTERNAL', endpoint: {} }),
      spec: {
        hosts: [`${name}.example.com`],
        ports: [{ number: 80, name: 'http', protocol: 'HTTP', targetPort: 8443 }],
        resolution: 'STATIC',
        location: 'MESH_INTERNAL',
        endpoints: [{ address: await mesh.addressOf(`${name}-v1`), serviceAccount: 'legacy' }],
      },
    }));
    await mesh.during('given', ...(await Promise.all(entries)));
    for (const name of domains) {
      const { status, echo: seen } = await mesh.call('client', `http://${name}.example.com/`);
      const expected = name === 'evil' ? [name, 503, undefined] : [name, 200, `outbound_.80_._.${name}.example.com`];
      expect([name, status, seen?.sni]).toEqual(expected);
    }
  });

  test('so it is with clients', async () => {
    const address = await mesh.addressOf('strict-v1');
    for (const name of domains) {
      const tls = { ...leafFor(`${name}.example`), serverName: 'any', protocols: ['istio-http/1.1', 'http/1.1'] };
      const outcome = await mesh.call('stranger', `https://${address}:8080/`, { tls });
      const expected = name === 'evil' ? undefined : `spiffe://${name}.example/ns/default/sa/legacy`;
      expect([name, identitySeen(outcome), outcome.status]).toEqual([name, expected, name === 'evil' ? 0 : 200]);
    }
  });
});

describe('a client that calls as soon as it starts, and ends', () => {
  function job(name: string, urls: readonly string[], annotations: Readonly<Record<string, string>>): Manifest {
    const script = `Promise.allSettled(${JSON.stringify(urls)}.map((url) => fetch(url)))`;
    return {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace: 'default' },
      spec: {
        selector: { matchLabels: { app: name } },
        template: {
          metadata: {
            labels: { app: name },
            annotations: { ...annotations, 'local.xebec.dev/command': JSON.stringify(['node', '-e', script]) },
          },
          spec: { serviceAccountName: name, containers: [{ name: 'app', image: 'test' }] },
        },
      },
    };
  }

  const seenAt = async (app: string, path: string): Promise<readonly (string | undefined)[]> =>
    (await mesh.requests(`${app}-v1`)).filter((one) => one.path === path).map((one) => identitySeen({ echo: one }));

  test('is somebody from its first call on', async () => {
    onTestFinished(() => mesh.remove('job'));
    mesh.write('job', job('batch', ['http://strict/batch', 'http://plain/batch'], {}));
    await mesh.waitUntil('it has called', async () => (await seenAt('plain', '/batch')).length > 1, 30_000);
    const seen = await seenAt('strict', '/batch');
    expect(new Set(seen)).toEqual(new Set(['spiffe://new.example/ns/default/sa/batch']));
    // Not one of its calls was in vain.
    expect(seen.length).toBeGreaterThanOrEqual((await seenAt('plain', '/batch')).length - 1);
  });

  test('is nobody without an Envoy', async () => {
    onTestFinished(() => mesh.remove('job'));
    const urls = ['http://strict.default:8080/old-batch', 'http://open.default:8080/old-batch'];
    mesh.write('job', job('old-batch', urls, { 'sidecar.istio.io/inject': 'false' }));
    await mesh.waitUntil('it has called', async () => (await seenAt('open', '/old-batch')).length > 1, 30_000);
    expect(await seenAt('strict', '/old-batch')).toEqual([]);
    expect(new Set(await seenAt('open', '/old-batch'))).toEqual(new Set([undefined]));
  });
});
