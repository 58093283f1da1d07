import { expect, test } from 'vitest';
import { pod } from '../pilot/support/manifests.ts';
import { SecureMesh } from './support/secure-mesh.ts';

const LISTENERS = 'type.googleapis.com/envoy.config.listener.v3.Listener';

const ip = '10.1.0.1';
const node = { id: `sidecar~${ip}~web.shop~shop.svc.cluster.local`, metadata: { NAMESPACE: 'shop' } };

const guard = {
  apiVersion: 'security.istio.io/v1',
  kind: 'AuthorizationPolicy',
  metadata: { namespace: 'shop', name: 'guard' },
  spec: { selector: { matchLabels: { guarded: 'yes' } }, action: 'DENY', rules: [{}] },
};

function isGuarded({ process: { xebec } }: SecureMesh): boolean {
  const [proxy] = xebec.pilot.proxies();
  if (proxy === undefined) throw new Error('nobody is connected');
  const listeners = [...(xebec.pilot.snapshotFor(proxy).get(LISTENERS)?.resources.values() ?? [])];
  return listeners.flatMap(({ origins }) => origins).some(({ kind }) => kind === 'AuthorizationPolicy');
}

test('a pod that gets a label is protected by what is for it, though its proxy stays connected', async () => {
  const mesh = await SecureMesh.start([pod('shop/web', ip, { app: 'web' }), guard]);
  const stream = await mesh.open(mesh.client(mesh.pair('shop/default')), node, { typeUrl: LISTENERS });
  const answers = stream.messages[Symbol.asyncIterator]();
  await answers.next();
  expect(isGuarded(mesh)).toBe(false);
  mesh.process.source.apply(pod('shop/web', ip, { app: 'web', guarded: 'yes' }));
  await mesh.process.until('guarded', () => isGuarded(mesh));
  mesh.process.source.apply(pod('shop/web', ip, { app: 'web' }));
  await mesh.process.until('open', () => !isGuarded(mesh));
  stream.cancel();
  await stream.status;
});
