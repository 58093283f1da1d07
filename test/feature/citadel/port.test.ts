import { expect, onTestFinished, test } from 'vitest';
import { issueIdentity } from '../../../src/citadel/issuer.ts';
import { RpcClient } from '../../../src/rpc/rpc-client.ts';
import { RpcStatusCode } from '../../../src/rpc/status.ts';
import { adsMethods } from '../../../src/xds/xds.ts';
import { TestProcess } from '../pilot/support/process.ts';

const LOOPBACK = { host: '127.0.0.1', port: 0 };

test('xDS over TLS is served with a certificate of the mesh, for the names of the control plane', async () => {
  const process = await TestProcess.start([], {
    controllers: ['galley', 'pilot', 'citadel'],
    config: { xds: LOOPBACK, xdsNames: ['127.0.0.1'], namespace: 'istio-system' },
  });
  const issuer = process.xebec.citadel?.issuer.current();
  if (issuer === undefined) throw new Error('nobody signs');
  const issued = issueIdentity(issuer, {
    identity: { namespace: 'shop', serviceAccount: 'default' },
    now: Date.now(),
    lifetimeMs: 60_000,
  });
  const statusAs = async (serverName: string | undefined): Promise<number> => {
    const client = new RpcClient(`127.0.0.1:${process.xdsPort}`, {
      tls: {
        roots: issued.roots,
        pair: { certificate: issued.chain, key: issued.key ?? '' },
        ...(serverName === undefined ? {} : { serverName }),
      },
    });
    onTestFinished(() => client.close());
    const stream = client.open(adsMethods[0]?.path ?? '');
    await stream.send(Buffer.from([0x0a, 0x02, 0x0a, 0x00]));
    return (await stream.status).code;
  };
  const names = ['xebec', 'istiod', 'istio-pilot', 'istio-ca', 'istio-citadel'].map(
    (name) => `${name}.istio-system.svc`,
  );
  for (const name of [undefined, ...names, 'istiod.istio-system', 'istio-ca']) {
    expect([name, await statusAs(name)]).toEqual([name, RpcStatusCode.INVALID_ARGUMENT]);
  }
  expect(await statusAs('kubernetes.default.svc')).toBe(RpcStatusCode.UNAVAILABLE);
});

test('the port without TLS can be off', async () => {
  const process = new TestProcess({ config: { xdsPlaintext: undefined } });
  const { xds, xdsPlaintext } = await process.xebec.bind();
  await process.xebec.run(AbortSignal.abort());
  expect([xds, xdsPlaintext]).toEqual([undefined, undefined]);
});
