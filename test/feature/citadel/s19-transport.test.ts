import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { RpcStatusCode } from '../../../src/rpc/status.ts';
import { adsMethods } from '../../../src/xds/xds.ts';
import { httpPort, pod, service, virtualService } from '../pilot/support/manifests.ts';
import { CREATE, tokenOf } from './support/csr-world.ts';
import { type Node, SecureMesh } from './support/secure-mesh.ts';

const MIB = 2 ** 20;
const DELTA = adsMethods.find(({ protocol }) => protocol === 'delta')?.path ?? '';
const world = [service('shop/web', [httpPort]), pod('shop/web', '10.1.0.1', { app: 'web' })];
const web: Node = { id: 'sidecar~10.1.0.1~web.shop~shop.svc.cluster.local', metadata: { NAMESPACE: 'shop' } };

async function isServed(mesh: SecureMesh): Promise<string> {
  return (await mesh.ask(mesh.client(mesh.pair('shop/default')), web)).kind;
}

/** HTTP/2 without gRPC's manners. */
async function raw(mesh: SecureMesh, account?: string): Promise<ClientHttp2Session> {
  const pair = account === undefined ? undefined : mesh.pair(account);
  const session = connect(`https://127.0.0.1:${mesh.process.xdsPort}`, {
    ca: mesh.issuer.roots,
    servername: 'istiod.istio-system.svc',
    ...(pair === undefined ? {} : { cert: pair.certificate, key: pair.key }),
  });
  session.on('error', () => undefined);
  onTestFinished(() => session.destroy());
  await once(session, 'connect');
  return session;
}

function call(session: ClientHttp2Session, path: string, headers: Readonly<Record<string, string>> = {}) {
  const stream = session.request({
    ...{ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' },
    ...headers,
  });
  stream.on('error', () => undefined);
  return stream;
}

test.each([5, 20, 100])(
  'S19: a message of %i MB ends its call, whoever sends it, and nobody else’s',
  async (size) => {
    const mesh = await SecureMesh.start(world);
    const large = Buffer.alloc(size * MIB, 1);
    const known = await mesh.client(mesh.pair('shop/default')).call(DELTA, large);
    expect(known.status.code).toBe(RpcStatusCode.RESOURCE_EXHAUSTED);
    for (const path of [DELTA, CREATE]) {
      for (const headers of [{}, { authorization: `Bearer ${tokenOf()}` }]) {
        const { status } = await mesh.client().call(path, large, headers);
        expect(status.code).toBe(RpcStatusCode.UNAUTHENTICATED);
      }
    }
    expect(await isServed(mesh)).toBe('served');
  },
  60_000,
);

test('S19: a small message that unfolds to a large one is refused', async () => {
  const mesh = await SecureMesh.start(world);
  const session = await raw(mesh, 'shop/default');
  const bomb = gzipSync(Buffer.alloc(200 * MIB));
  const head = Buffer.alloc(5);
  head[0] = 1;
  head.writeUInt32BE(bomb.length, 1);
  const stream = call(session, DELTA, { 'grpc-encoding': 'gzip' });
  stream.end(Buffer.concat([head, bomb]));
  const status = await new Promise((resolve) => {
    for (const event of ['response', 'trailers'])
      stream.on(event, (headers: Readonly<Record<string, unknown>>) => {
        if (headers['grpc-status'] !== undefined) resolve(Number(headers['grpc-status']));
      });
    stream.on('close', () => resolve('closed'));
    stream.resume();
  });
  expect(status).toBe(RpcStatusCode.RESOURCE_EXHAUSTED);
  expect(await isServed(mesh)).toBe('served');
}, 60_000);

test('S19: calls that are opened and reset without end, by thousands, hurt nobody else', async () => {
  const mesh = await SecureMesh.start(world);
  const session = await raw(mesh);
  for (let turn = 0; turn < 50 && !session.destroyed; turn += 1) {
    const streams = Array.from({ length: 100 }, () => call(session, DELTA));
    for (const stream of streams) stream.close(8);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await isServed(mesh)).toBe('served');
  await expect.poll(() => mesh.process.xebec.xds.streams()).toEqual([]);
}, 60_000);

test('S19, bulletin 2022-003: bytes of no sense within TLS, of callers without credentials, hurt nobody else', async () => {
  const mesh = await SecureMesh.start(world);
  const junk = [
    Buffer.alloc(5),
    Buffer.alloc(5000, 0xff),
    Buffer.from([0, 0, 0, 0, 3, 0x0a, 0xff, 0xff]),
    Buffer.from([1, 0, 0, 0, 1, 0]),
  ];
  for (const path of [DELTA, CREATE, '/nothing', '']) {
    const session = await raw(mesh);
    for (const bytes of junk) {
      const stream = call(session, path);
      stream.resume();
      stream.end(bytes);
      await new Promise((resolve) => stream.once('close', resolve));
    }
  }
  expect(await isServed(mesh)).toBe('served');
  expect(mesh.process.log.join('')).not.toContain('"level":"error"');
}, 60_000);

test('the configuration of the mesh is read by identities of the root namespace, and by those that were named', async () => {
  const mesh = await SecureMesh.start(
    [...world, virtualService('shop/web', { hosts: ['web'], http: [{ route: [{ destination: { host: 'web' } }] }] })],
    { config: { configConsumers: ['tools/reader'] } },
  );
  const consumer: Node = { id: 'api~1.1.1.1~reader.x~x', metadata: { GENERATOR: 'api' } };
  const asked = { typeUrl: 'networking.istio.io/v1/VirtualService' };
  const outcomeOf = async (account: string | undefined): Promise<string | number> => {
    const client = mesh.client(account === undefined ? undefined : mesh.pair(account));
    const outcome = await mesh.ask(client, consumer, asked);
    return outcome.kind === 'served' ? outcome.names.join() : outcome.status.code;
  };
  expect(await outcomeOf(undefined)).toBe(RpcStatusCode.UNAUTHENTICATED);
  expect(await outcomeOf('shop/default')).toBe(RpcStatusCode.PERMISSION_DENIED);
  expect(await outcomeOf('tools/default')).toBe(RpcStatusCode.PERMISSION_DENIED);
  expect(await outcomeOf('tools/reader')).toBe('shop/web');
  expect(await outcomeOf('istio-system/xebec')).toBe('shop/web');
});
