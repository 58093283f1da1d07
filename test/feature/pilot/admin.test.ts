import { describe, expect, test } from 'vitest';
import { isRecord } from './support/contents.ts';
import { object, serviceEntry } from './support/manifests.ts';
import { TestProcess } from './support/process.ts';
import { bankClient, ingress, ingressPod, REVIEWS, shop, shopClient } from './support/shop.ts';

type Json = Readonly<Record<string, unknown>>;

async function json(mesh: TestProcess, path: string): Promise<unknown> {
  const { status, text } = await mesh.page(path);
  expect(status).toBe(200);
  return JSON.parse(text);
}

async function list(mesh: TestProcess, path: string): Promise<readonly Json[]> {
  return (await json(mesh, path)) as readonly Json[];
}

describe('the admin pages', () => {
  test('are listed, each with what it is for', async () => {
    const mesh = await TestProcess.start(shop);
    for (const index of ['/', '/debug']) {
      const { text } = await mesh.page(index);
      const lines = text.trim().split('\n');
      for (const line of lines) expect(line).toMatch(/^\/\S* {3,}\S.*/);
      const pages = lines.map((line) => line.split(' ')[0] ?? '');
      expect(pages).toEqual(expect.arrayContaining(['/ready', '/metrics', '/debug/syncz', '/debug/refusedz']));
      for (const page of pages) expect([page, (await mesh.page(page)).status]).not.toEqual([page, 404]);
    }
  });

  test('metrics tell of the mesh and of pushes', async () => {
    const mesh = await TestProcess.start(shop);
    await mesh.connect(shopClient);
    const { text } = await mesh.page('/metrics');
    expect(text).toMatch(/^pilot_services 3$/m);
    expect(text).toMatch(/^pilot_xds_pushes\{type="cds"\} 1$/m);
  });

  test('syncz has Istio’s words for what was sent and confirmed', async () => {
    const mesh = await TestProcess.start(shop);
    const envoy = await mesh.connect(shopClient, 'sotw');
    const [stream, ...more] = await list(mesh, '/debug/syncz');
    expect(more).toEqual([]);
    expect(stream).toMatchObject({ proxy: envoy.id, protocol: 'sotw', is_writing: false });
    for (const name of ['cluster', 'endpoint', 'listener', 'route']) {
      expect(stream?.[`${name}_sent`]).not.toBe('');
      expect(stream?.[`${name}_acked`]).toBe(stream?.[`${name}_sent`]);
    }
  });

  test('registryz has services with the namespaces that see them', async () => {
    const hosts = ['api.example.com'];
    const ports = [{ number: 443, name: 'https', protocol: 'TLS' }];
    const spec = { hosts, ports, resolution: 'DNS', exportTo: ['bank', '.'] };
    const mesh = await TestProcess.start([...shop, serviceEntry('shop/api', spec)]);
    const services = await list(mesh, '/debug/registryz');
    expect(services.map(({ hostname }) => String(hostname)).sort()).toEqual([
      'api.example.com',
      'db.shop.svc.cluster.local',
      'ledger.bank.svc.cluster.local',
      REVIEWS,
    ]);
    const api = services.find(({ hostname }) => hostname === 'api.example.com');
    expect(api?.['visibility']).toEqual({ kind: 'namespaces', namespaces: ['bank', 'shop'] });
  });

  test('endpointz has the endpoints of each port', async () => {
    const mesh = await TestProcess.start(shop);
    const ports = await list(mesh, '/debug/endpointz');
    const reviews = ports.find(({ service }) => service === REVIEWS);
    expect(reviews).toMatchObject({
      port: 80,
      endpoints: [
        { address: '10.1.0.11', port: 8080 },
        { address: '10.1.0.12', port: 8080 },
      ],
    });
  });

  test('configz has the objects in force, and of secrets only that there are some', async () => {
    const data = { password: Buffer.from('hunter2').toString('base64') };
    const mesh = await TestProcess.start([...shop, object('v1', 'Secret', 'shop/keys', { data })]);
    const { text } = await mesh.page('/debug/configz');
    expect(text).toContain('"[redacted]"');
    expect(text).not.toContain(data.password);
    expect((JSON.parse(text) as readonly Json[]).map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['Service', 'EndpointSlice', 'Pod', 'Secret']),
    );
  });
});

describe('config_dump', () => {
  function sections(dump: unknown): Readonly<Record<string, readonly Json[]>> {
    const configs = isRecord(dump) && Array.isArray(dump['configs']) ? dump['configs'].filter(isRecord) : [];
    return Object.fromEntries(
      configs.map(({ '@type': type, ...lists }) => {
        const name = typeof type === 'string' ? type.slice(type.lastIndexOf('.') + 1) : '';
        return [
          name,
          Object.values(lists).flatMap((entries) => (Array.isArray(entries) ? entries.filter(isRecord) : [])),
        ];
      }),
    );
  }

  test('is Envoy’s own, for a proxy by its id or its name', async () => {
    const mesh = await TestProcess.start(shop);
    const envoy = await mesh.connect(shopClient);
    const byName = await json(mesh, '/debug/config_dump?proxy=client.shop');
    expect(await json(mesh, `/debug/config_dump?proxyID=${encodeURIComponent(envoy.id)}`)).toEqual(byName);
    const dump = sections(byName);
    expect(Object.keys(dump)).toEqual([
      'ClustersConfigDump',
      'ListenersConfigDump',
      'RoutesConfigDump',
      'EndpointsConfigDump',
      'SecretsConfigDump',
    ]);
    expect(dump['ClustersConfigDump']).toHaveLength(envoy.store.cluster.size);
    const cluster = dump['ClustersConfigDump']?.find(
      (each) => (each['cluster'] as Json)['name'] === `outbound|80||${REVIEWS}`,
    );
    expect(cluster).toMatchObject({
      version_info: envoy.store.cluster.get(`outbound|80||${REVIEWS}`)?.version,
      cluster: { '@type': 'type.googleapis.com/envoy.config.cluster.v3.Cluster', type: 'EDS' },
    });
    expect(dump['ListenersConfigDump']?.map(({ name }) => name)).toEqual([...envoy.store.listener.keys()].sort());
    expect(dump['RoutesConfigDump']).toHaveLength(1);
  });

  test('is there for a proxy that is not connected, by its whole id', async () => {
    const mesh = await TestProcess.start(shop);
    const offline = await json(mesh, `/debug/config_dump?proxy=${encodeURIComponent(bankClient.id)}`);
    await mesh.connect(bankClient);
    expect(await json(mesh, '/debug/config_dump?proxy=client.bank')).toEqual(offline);
  });

  test('names the files of a gateway’s secrets', async () => {
    const tls = { mode: 'SIMPLE', serverCertificate: '/etc/certs/cert.pem', privateKey: '/etc/certs/key.pem' };
    const servers = [{ port: { number: 443, name: 'https', protocol: 'HTTPS' }, hosts: ['a.example.com'], tls }];
    const selector = { app: 'ingress' };
    const gateway = object('networking.istio.io/v1', 'Gateway', 'shop/tls', { spec: { selector, servers } });
    const mesh = await TestProcess.start([...shop, ...ingress, gateway]);
    await mesh.connect(ingressPod);
    const dump = sections(await json(mesh, '/debug/config_dump?proxy=ingress.istio-system'));
    expect(JSON.stringify(dump['SecretsConfigDump'])).toContain('/etc/certs/key.pem');
  });

  test('says what is wrong with what was asked', async () => {
    const mesh = await TestProcess.start(shop);
    expect(await mesh.page('/debug/config_dump')).toEqual({
      status: 400,
      text: 'say which proxy: ?proxy=<name.namespace, or the whole node id>\n',
    });
    expect(await mesh.page('/debug/config_dump?proxy=nobody.here')).toEqual({
      status: 404,
      text: 'no proxy nobody.here is connected; /debug/syncz lists those that are\n',
    });
  });
});
