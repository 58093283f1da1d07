// Every certificate of a gateway is replaced under about 500 requests a second, each on a connection of its own: no handshake fails, and
// nothing but the secret is sent. In between Secrets are broken and mended, and deleted and made anew.
import { X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { identityFiles } from '../../src/citadel/identity-files.ts';
import { type Issuer, issueIdentity } from '../../src/citadel/issuer.ts';
import { replaceFiles } from '../../src/local/mesh/atomic-folder.ts';
import type { Certificate } from '../support/certificates.ts';
import { Edge, edgeAnswers, edgeGateway } from '../support/edge.ts';
import { needNamespaces } from '../support/namespaces.ts';
import { type KeyKind, Pki, secretYaml } from '../support/pki.ts';
import { createTestIssuer } from '../support/test-issuer.ts';
import { callOverTls, fingerprintOf } from '../support/tls-client.ts';
import { type LoadTarget, TlsLoad } from '../support/tls-load.ts';

const PER_SECOND = 500;
/** Handshakes between one change and the next: counted, so that a slow machine takes longer and shows as much. */
const BETWEEN = 300;
const HOUR_MS = 3_600_000;

const root = mkdtempSync('/tmp/xr-');
const [first, second] = [new Pki('first authority'), new Pki('second authority')];
const bothAuthorities = first.certificate + second.certificate;
const [oldIssuer, newIssuer] = [createTestIssuer(), createTestIssuer()];
const bothRoots = oldIssuer.roots + newIssuer.roots;

needNamespaces();
afterAll(() => rmSync(root, { recursive: true, force: true }));

type Pairs = Readonly<Record<string, string>>;

function pairOf({ certificate, key }: Certificate): Pairs {
  return { 'tls.crt': certificate, 'tls.key': key };
}

/** A certificate of an account, and who that trusts; its own authority beside it where nothing else is said. */
function identity(
  issuer: Issuer,
  serviceAccount: string,
  roots: string = issuer.roots,
): Certificate & { roots: string } {
  const asked = { namespace: 'edge', serviceAccount };
  const { chain, key = '' } = issueIdentity(
    { ...issuer, roots },
    { identity: asked, now: Date.now(), lifetimeMs: HOUR_MS },
  );
  return { certificate: chain, key, roots };
}

/** As the kubelet does. */
async function putIdentity(folder: string, { certificate, key, roots }: ReturnType<typeof identity>): Promise<void> {
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  await replaceFiles(folder, identityFiles({ chain: certificate, key, roots }, folder), owner);
}

describe.each(['delta', 'sotw'] as const)('over %s', (protocol) => {
  const folder = join(root, protocol);
  const identityFolder = join(folder, 'id');
  const client = first.issue(['old-client.example.com']);
  const nextClient = second.issue(['new-client.example.com']);
  let edge: Edge;
  let load: TlsLoad | undefined;

  /** The Secrets; a server with `split` has its authority in a Secret of its own. */
  function secrets(pair: Pairs, authority: string, simple: Pairs | 'absent' = pair): readonly string[] {
    return [
      ...(simple === 'absent' ? [] : [secretYaml('edge/simple', simple)]),
      secretYaml('edge/mutual', { ...pair, 'ca.crt': authority }),
      secretYaml('edge/split', pair),
      secretYaml('edge/split-cacert', { 'ca.crt': authority }),
    ];
  }

  function targets(as: Certificate, workload: Certificate): readonly LoadTarget[] {
    const path = edge.socketOf('https');
    const target = (name: string, authority: string, more: object = {}): LoadTarget => ({
      name,
      call: { path, serverName: `${name}.example.com`, authority, ...more },
      isAnyName: name === 'mesh',
    });
    return [
      target('simple', bothAuthorities),
      target('mutual', bothAuthorities, { client: as }),
      target('split', bothAuthorities, { client: as }),
      target('mesh', bothRoots, { client: workload }),
    ];
  }

  function running(): TlsLoad {
    if (load === undefined) throw new Error('there is no load');
    return load;
  }

  /** Waits until the load sees a certificate at all of these, and goes on for a while. */
  async function seen(pair: Certificate, names: readonly string[]): Promise<void> {
    const wanted = fingerprintOf(pair);
    await edge.until(`seen at ${names.join()}`, () => names.every((name) => running().latest(name) === wanted));
    await running().more(BETWEEN);
  }

  async function statusOf(name: string, as: Certificate): Promise<number | undefined> {
    const call = { path: edge.socketOf('https'), serverName: `${name}.example.com`, authority: bothAuthorities };
    return (await callOverTls({ ...call, client: as })).status;
  }

  async function meshStatusOf(as: Certificate): Promise<number | undefined> {
    const options = { checkServerIdentity: (): undefined => undefined };
    const call = { path: edge.socketOf('https'), serverName: 'mesh.example.com', authority: bothRoots };
    return (await callOverTls({ ...call, client: as, options })).status;
  }

  /** What the gateway was sent, other than secrets. */
  async function otherUpdates(): Promise<readonly (readonly [string, number])[]> {
    const counted =
      /^(listener_manager\.(lds\.update_success|listener_\w+)|cluster_manager\.(cds\.update_success|cluster_\w+)|http\..*rds.*update_success)$/;
    return [...(await edge.envoy.stats())].filter(([name]) => counted.test(name));
  }

  async function secretUpdates(): Promise<number> {
    const stats = [...(await edge.envoy.stats())].filter(([name]) => /^sds\.kubernetes_.*update_success$/.test(name));
    return stats.reduce((sum, [, value]) => sum + value, 0);
  }

  async function stopLoad(): Promise<void> {
    const report = await running().stop();
    load = undefined;
    console.log(
      `${protocol}: ${report.calls} handshakes, ${report.perSecond} a second, ${report.failures.length} failed`,
    );
    expect(report.failures).toEqual([]);
    expect(report.calls).toBeGreaterThanOrEqual(3 * BETWEEN);
  }

  beforeAll(async () => {
    mkdirSync(identityFolder, { recursive: true });
    await putIdentity(identityFolder, identity(oldIssuer, 'ingress'));
    const servers = [
      { host: 'simple.example.com', tls: 'mode: SIMPLE, credentialName: simple' },
      { host: 'mutual.example.com', tls: 'mode: MUTUAL, credentialName: mutual' },
      { host: 'split.example.com', tls: 'mode: MUTUAL, credentialName: split' },
      { host: 'mesh.example.com', tls: 'mode: ISTIO_MUTUAL' },
    ];
    const gateway = edgeGateway(join(folder, 'https.sock'), servers);
    edge = await Edge.start({ folder, protocol, identityFolder, objects: [edgeAnswers, gateway] });
    edge.write('secrets', ...secrets(pairOf(first.issue(['*.example.com'])), first.certificate));
    await edge.until('served', async () => (await statusOf('split', client)) === 200);
  });
  afterEach(async () => {
    await load?.stop();
    load = undefined;
  });
  afterAll(() => edge.stop());

  const fromSecrets = ['simple', 'mutual', 'split'];
  const workload = identity(oldIssuer, 'caller', bothRoots);

  /** A load, and what it must not lead to but the secrets. */
  async function underLoad(act: () => Promise<void>, least: number): Promise<void> {
    edge.write('secrets', ...secrets(pairOf(first.issue(['*.example.com'])), first.certificate));
    await edge.until('as at first', async () => (await statusOf('split', client)) === 200);
    const [others, own] = [await otherUpdates(), await secretUpdates()];
    load = await TlsLoad.start(targets(client, workload), PER_SECOND);
    await running().more(BETWEEN);
    await act();
    await stopLoad();
    expect(await otherUpdates()).toEqual(others);
    expect((await secretUpdates()) - own).toBeGreaterThanOrEqual(least);
  }

  test('keys and certificates, of every kind of key, and of another authority', async () => {
    const kinds: readonly KeyKind[] = ['P-384', 'RSA', 'P-256', 'RSA', 'P-256'];
    await underLoad(async () => {
      for (const [turn, kind] of kinds.entries()) {
        const next = (turn < 3 ? first : second).issue(['*.example.com'], { kind });
        edge.write('secrets', ...secrets(pairOf(next), first.certificate));
        await seen(next, fromSecrets);
      }
    }, kinds.length * fromSecrets.length);
  });

  test('a Secret that is broken and mended, and all of them deleted and made anew at once', async () => {
    await underLoad(async () => {
      const good = first.issue(['*.example.com']);
      edge.write('secrets', ...secrets(pairOf(good), first.certificate));
      await seen(good, fromSecrets);
      edge.write('secrets', ...secrets(pairOf(good), first.certificate, { 'tls.crt': 'x', 'tls.key': 'y' }));
      await edge.until('told', () => edge.told().some((line) => line.startsWith('XEB2406 Secret edge/simple')));
      await seen(good, ['simple']);
      const mended = first.issue(['*.example.com']);
      edge.write('secrets', ...secrets(pairOf(mended), first.certificate));
      await seen(mended, fromSecrets);
      rmSync(join(folder, 'config', 'secrets.yaml'));
      const anew = first.issue(['*.example.com']);
      edge.write('secrets', ...secrets(pairOf(anew), first.certificate));
      await seen(anew, fromSecrets);
    }, 3 * fromSecrets.length);
  });

  test('a Secret that is gone for a while closes its own host, and no other one notices', async () => {
    const pair = pairOf(first.issue(['*.example.com']));
    edge.write('secrets', ...secrets(pair, first.certificate));
    await edge.until('there', async () => (await statusOf('simple', client)) === 200);
    load = await TlsLoad.start(targets(client, workload).slice(1), PER_SECOND);
    await running().more(BETWEEN);
    edge.write('secrets', ...secrets(pair, first.certificate, 'absent'));
    await edge.until('closed', async () => (await statusOf('simple', client)) === undefined);
    await running().more(BETWEEN);
    edge.write('secrets', ...secrets(pair, first.certificate));
    await edge.until('open again', async () => (await statusOf('simple', client)) === 200);
    await running().more(BETWEEN);
    await stopLoad();
  });

  test('who vouches for clients: the old authority, both, the new one', async () => {
    const pair = pairOf(first.issue(['*.example.com']));
    const mutual = ['mutual', 'split'];
    const eachIs = async (as: Certificate, status: number | undefined): Promise<boolean> =>
      (await Promise.all(mutual.map((name) => statusOf(name, as)))).every((each) => each === status);
    expect(await eachIs(nextClient, undefined)).toBe(true);
    await underLoad(async () => {
      edge.write('secrets', ...secrets(pair, bothAuthorities));
      await edge.until('both are taken', () => eachIs(nextClient, 200));
      await running().more(BETWEEN);
      await running().use(targets(nextClient, workload));
      edge.write('secrets', ...secrets(pair, second.certificate));
      await edge.until('the old one is refused', () => eachIs(client, undefined));
      await running().more(BETWEEN);
    }, 2 * mutual.length);
  });

  test('the gateway’s identity in the mesh, and the root of the mesh', async () => {
    const later = identity(newIssuer, 'caller', bothRoots);
    expect(await meshStatusOf(later)).toBeUndefined();
    const put = async (next: ReturnType<typeof identity>): Promise<void> => {
      await putIdentity(identityFolder, next);
      await seen({ ...next, certificate: new X509Certificate(next.certificate).toString() }, ['mesh']);
    };
    await underLoad(async () => {
      await put(identity(oldIssuer, 'ingress'));
      await put(identity(oldIssuer, 'ingress', bothRoots));
      await edge.until('both roots are trusted', async () => (await meshStatusOf(later)) === 200);
      await put(identity(newIssuer, 'ingress', bothRoots));
      await running().use(targets(client, later));
      await put(identity(newIssuer, 'ingress'));
      await edge.until('the old root is gone', async () => (await meshStatusOf(workload)) === undefined);
      await running().more(BETWEEN);
    }, 0);
  });
});
