// S2 of the security tests, on the port over TLS with the mesh's own certificates: what decides about keys is who a gateway has proven to be.
import { expect, test } from 'vitest';
import { decodeMessage, encodeMessage } from '../../../src/gen/codec.ts';
import type { RpcClient } from '../../../src/rpc/rpc-client.ts';
import { adsMethods } from '../../../src/xds/xds.ts';
import { Pki } from '../../support/pki.ts';
import { gateway, type Manifest, object, pod } from '../pilot/support/manifests.ts';
import { type Node, SecureMesh } from './support/secure-mesh.ts';

const SECRETS = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret';
const pair = new Pki('authority').issue(['shop.example.com']);
const trace = pair.key.split('\n')[1] ?? pair.key;
const encode = (text: string): string => Buffer.from(text).toString('base64');

const mesh: readonly Manifest[] = [
  pod('edge/ingress', '10.1.9.1', { app: 'ingress' }, { serviceAccountName: 'ingress' }),
  pod('edge/app', '10.1.9.2', { app: 'app' }, { serviceAccountName: 'app' }),
  pod('shop/ingress', '10.1.9.3', { app: 'ingress' }, { serviceAccountName: 'ingress' }),
  object('v1', 'Secret', 'edge/shop', {
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': encode(pair.certificate), 'tls.key': encode(pair.key) },
  }),
  gateway('edge/tls', {
    selector: { app: 'ingress' },
    servers: [
      {
        port: { number: 443, name: 'https', protocol: 'HTTPS' },
        hosts: ['shop.example.com'],
        tls: { mode: 'SIMPLE', credentialName: 'shop' },
      },
    ],
  }),
];

function router(name: string, address: string, labels: Readonly<Record<string, string>> = { app: 'ingress' }): Node {
  const [namespace = '', own = ''] = name.split('/');
  const id = `router~${address}~${own}.${namespace}~${namespace}.svc.cluster.local`;
  return { id, metadata: { NAMESPACE: namespace, LABELS: labels } };
}

/** Everything that a stream gives within a while, or how it ended. */
async function take(client: RpcClient, { id, metadata }: Node, isEnough: (text: string) => boolean): Promise<string> {
  const stream = client.open(adsMethods.find(({ protocol }) => protocol === 'delta')?.path ?? '');
  const labels = Object.entries(metadata['LABELS'] as Readonly<Record<string, string>>);
  const fields = {
    NAMESPACE: { stringValue: String(metadata['NAMESPACE'] as string) },
    LABELS: {
      structValue: { fields: Object.fromEntries(labels.map(([key, value]) => [key, { stringValue: value }])) },
    },
  };
  const names = ['kubernetes://shop', 'kubernetes://edge/shop'];
  const ask = (typeUrl: string, resourceNamesSubscribe: readonly string[], node?: object): Promise<unknown> => {
    const request = { ...(node && { node }), typeUrl, resourceNamesSubscribe };
    const bytes = encodeMessage('envoy.service.discovery.v3.DeltaDiscoveryRequest', request);
    return stream.send(Buffer.from(bytes)) as Promise<unknown>;
  };
  await ask(SECRETS, names, { id, metadata: { fields }, userAgentName: 'envoy' });
  // Listeners are answered last, and so tell that all else was.
  await ask('type.googleapis.com/envoy.config.listener.v3.Listener', []);
  let text = '';
  for await (const message of stream.messages) {
    const { typeUrl } = decodeMessage('envoy.service.discovery.v3.DeltaDiscoveryResponse', message);
    text += `${typeUrl} ${message.toString('latin1')}`;
    if (isEnough(text)) break;
  }
  stream.cancel();
  const { code } = await stream.status;
  return `${text} ended ${code}`;
}

const hasListener = (text: string): boolean => text.includes('v3.Listener');

test('S2: the gateway of the namespace gets the key; others of the namespace, of other namespaces, and strangers do not', async () => {
  const secure = await SecureMesh.start(mesh);
  const as = (account: string): RpcClient => secure.client(secure.pair(account));
  const ingress = router('edge/ingress', '10.1.9.1');
  const got = await take(as('edge/ingress'), ingress, (text) => text.includes(trace));
  expect(got).toContain(trace);
  const attacks: readonly (readonly [string, RpcClient, Node])[] = [
    ['another account of the namespace, as the gateway', as('edge/app'), ingress],
    ['another pod of the namespace, with the gateway’s labels', as('edge/app'), router('edge/app', '10.1.9.2')],
    ['the gateway of another namespace', as('shop/ingress'), router('shop/ingress', '10.1.9.3')],
    ['another namespace, as the gateway', as('shop/ingress'), ingress],
    ['nobody', secure.client(), ingress],
  ];
  for (const [who, client, node] of attacks) {
    const text = await take(client, node, hasListener);
    expect([who, text.includes(trace)]).toEqual([who, false]);
    expect([who, /ended \d|v3.Listener/.test(text)]).toEqual([who, true]);
  }
});

test('S2: whoever comes without TLS is sent no key, its host is closed, and the Gateway’s owner is told why', async () => {
  const { process } = await SecureMesh.start(mesh);
  const envoy = await process.connect(router('edge/ingress', '10.1.9.1'));
  expect([...envoy.subscribed('secret')]).toEqual([]);
  const [listener] = [...envoy.store.listener.values()];
  expect(JSON.stringify(listener?.content.message)).toContain('BlackHoleCluster');
  const told = process.xebec.pilot.diagnostics().filter(({ code }) => code === 'XEB2405');
  expect(told.map(({ message }) => message)).toEqual([expect.stringContaining('has not proven who it is')]);
});
