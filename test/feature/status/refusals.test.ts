import { describe, expect, test } from 'vitest';
import type { Content, Kind } from '../pilot/support/contents.ts';
import { destinationRule, type Manifest, serviceEntry, virtualService } from '../pilot/support/manifests.ts';
import { node, TestProcess } from '../pilot/support/process.ts';
import { ingress, ingressPod, REVIEWS, reviewSubsets, shop } from '../pilot/support/shop.ts';
import { allPlanted, type Planted } from './support/planted.ts';
import { conditionOf, fromApi, statusOf } from './support/statuses.ts';

const http = [{ number: 80, name: 'http', protocol: 'HTTP' }];

function innocent(name: string): readonly Manifest[] {
  const host = `${name}.example.com`;
  return [
    serviceEntry(`shop/${name}`, { hosts: [host], ports: http, resolution: 'DNS' }),
    virtualService(`shop/${name}`, {
      hosts: [host],
      http: [{ timeout: '5s', route: [{ destination: { host: REVIEWS } }] }],
    }),
  ];
}

/** What shares resources with the planted objects. */
const around: readonly Manifest[] = [
  ...innocent('one'),
  ...innocent('two'),
  serviceEntry('shop/hosts', { hosts: ['planted.example.com', 'bad.example.com'], ports: http, resolution: 'DNS' }),
  destinationRule('shop/ledger', {
    host: 'ledger.bank.svc.cluster.local',
    trafficPolicy: { tls: { mode: 'DISABLE' } },
  }),
  reviewSubsets('v1', 'v2'),
].map((object) => fromApi(object, 1));

function refuses({ resource, mark, words }: Planted) {
  return (kind: Kind, content: Content): string | undefined => {
    const isMeant = kind === resource && (content.name === mark || JSON.stringify(content.message).includes(mark));
    return isMeant && content.name !== 'virtualOutbound' ? words(content) : undefined;
  };
}

type Found = { readonly title: string; readonly message: string; readonly field: string };

async function plant(planted: Planted): Promise<Found> {
  const mesh = await TestProcess.start([...shop, ...ingress, ...around]);
  const envoy = await mesh.connect(planted.at === 'gateway' ? ingressPod : node('shop/web-1', '10.1.7.1'));
  await statusOf(mesh, 'VirtualService', 'shop/one');
  envoy.judge = refuses(planted);
  await mesh.apply(fromApi(planted.object, 1));
  const condition = await conditionOf(mesh, [String(planted.object['kind']), 'shop/planted']);
  await expectInnocent(mesh);
  return { title: planted.title, message: condition?.message ?? '', field: planted.field };
}

async function expectInnocent(mesh: TestProcess): Promise<void> {
  await statusOf(mesh, 'VirtualService', 'shop/one');
  for (const { object, status } of mesh.xebec.status.controller.posted()) {
    if (object.source.meta.name === 'planted') continue;
    expect([object.source.key, status.isRefused]).toEqual([object.source.key, false]);
  }
}

describe('what a proxy refuses', () => {
  const found: Found[] = [];

  test('is many things', () => {
    expect(allPlanted.length).toBeGreaterThanOrEqual(45);
  });

  test.each(allPlanted.map((planted) => [planted.title, planted] as const))(
    'is told to its object, and to no other: %s',
    async (_, planted) => {
      const one = await plant(planted);
      expect(one.message).toMatch(/1 of 1 proxies refused it/);
      found.push(one);
    },
  );

  test('is told with the field in nine of ten cases', () => {
    const missed = found.filter(({ message, field }) => !message.includes(` ${field}: `));
    expect(found).toHaveLength(allPlanted.length);
    expect(missed.length, JSON.stringify(missed, undefined, 2)).toBeLessThanOrEqual(found.length / 10);
  });
});
