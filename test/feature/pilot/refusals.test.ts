import { describe, expect, test } from 'vitest';
import type { Content, Kind } from './support/contents.ts';
import { type Manifest, service, tcpPort, virtualService } from './support/manifests.ts';
import type { ModelEnvoy } from './support/model-envoy.ts';
import { node, TestProcess } from './support/process.ts';
import { bankClient, REVIEWS, shop, shopClient } from './support/shop.ts';

/** What Envoy says to a route that it does not like. */
function dislikes(word: string): (kind: Kind, content: Content) => string | undefined {
  return (kind, { message }) =>
    kind === 'route' && JSON.stringify(message).includes(word)
      ? `Proto constraint validation failed: ${word}`
      : undefined;
}

function reviews(prefix: string): Manifest {
  const route = [{ destination: { host: REVIEWS } }];
  return virtualService('shop/reviews', { hosts: [REVIEWS], http: [{ match: [{ uri: { prefix } }], route }] });
}

const laterClient = node('shop/later', '10.1.0.32', { labels: { app: 'client' } });

function routeOf(envoy: ModelEnvoy): string {
  return JSON.stringify(envoy.store.route.get('80')?.content.message);
}

type Refused = {
  readonly resource: string;
  readonly objects: readonly string[];
  readonly error: string;
  readonly refusedBy: string;
  readonly keptFrom: string;
};

async function refusedOf(mesh: TestProcess): Promise<readonly Refused[]> {
  return JSON.parse((await mesh.page('/debug/refusedz')).text) as readonly Refused[];
}

function logged(mesh: TestProcess, message: string): readonly Readonly<Record<string, unknown>>[] {
  const lines = mesh.log.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  return lines.filter((line) => line['msg'] === message);
}

describe('a route that a proxy refuses', () => {
  async function refuse(): Promise<{ readonly mesh: TestProcess; readonly client: ModelEnvoy }> {
    const mesh = await TestProcess.start([...shop, reviews('/good')]);
    const client = await mesh.connect(shopClient);
    client.judge = dislikes('/bad');
    await mesh.apply(reviews('/bad'));
    return { mesh, client };
  }

  test('leaves the last accepted one in force, for proxies that connect later too', async () => {
    const { mesh, client } = await refuse();
    expect(client.errors).toHaveLength(1);
    expect(routeOf(client)).toContain('/good');
    const later = await mesh.connect(laterClient);
    expect(routeOf(later)).toContain('/good');
    expect(later.contents()).toEqual(client.contents());
  });

  test('is not sent again, whatever else changes', async () => {
    const { mesh, client } = await refuse();
    await mesh.apply(reviews('/bad'));
    await mesh.apply(service('bank/vault', [tcpPort]));
    await mesh.disconnect(client);
    await mesh.connect(client);
    expect(routeOf(client)).toContain('/good');
    expect(client.errors).toHaveLength(1);
  });

  test('keeps what the last accepted one needs', async () => {
    const { mesh, client } = await refuse();
    mesh.source.delete('Service', 'bank', 'ledger');
    await mesh.until('refused again', () => client.errors.length === 2);
    expect(routeOf(client)).toContain('/good');
    expect(routeOf(client)).toContain('outbound|80||ledger.bank.svc.cluster.local');
    expect(client.brokenReferences(() => true)).toEqual([]);
    client.judge = () => undefined;
    await mesh.apply(reviews('/better'));
    expect(client.store.cluster.has('outbound|80||ledger.bank.svc.cluster.local')).toBe(false);
  });

  test('is told once, with the objects it came from and the words of the proxy', async () => {
    const { mesh, client } = await refuse();
    const object = 'VirtualService shop/reviews spec.http[0]';
    const [line, ...more] = logged(mesh, 'resource refused by a proxy');
    expect(more).toEqual([]);
    expect(line).toMatchObject({ level: 'warn', proxy: client.id, resource: '80', scope: 'everybody' });
    expect(line?.['objects']).toContain(object);
    const [refused, ...others] = await refusedOf(mesh);
    expect(others).toEqual([]);
    expect(refused).toMatchObject({
      resource: '80',
      error: 'Proto constraint validation failed: /bad',
      refusedBy: client.id,
      keptFrom: 'everybody',
    });
    expect(refused?.objects).toContain(object);
    await mesh.connect(laterClient);
    expect(await refusedOf(mesh)).toEqual([refused]);
  });

  test('is settled by an accepted one, and told as such', async () => {
    const { mesh, client } = await refuse();
    await mesh.apply(reviews('/better'));
    expect(routeOf(client)).toContain('/better');
    expect(await refusedOf(mesh)).toEqual([]);
    expect(logged(mesh, 'resource accepted again')).toMatchObject([{ level: 'info', resource: '80' }]);
  });

  test('is settled by an undo', async () => {
    const { mesh, client } = await refuse();
    await mesh.apply(reviews('/good'));
    expect(routeOf(client)).toContain('/good');
    expect(await refusedOf(mesh)).toEqual([]);
  });

  test('of one namespace says nothing of the route of that name in another', async () => {
    const { mesh, client } = await refuse();
    client.judge = () => undefined;
    const bank = await mesh.connect(bankClient);
    expect(bank.errors).toEqual([]);
    expect(routeOf(bank)).toContain('/bad');
    expect(routeOf(client)).toContain('/good');
    expect(await refusedOf(mesh)).toHaveLength(1);
  });
});
