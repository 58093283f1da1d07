import { describe, expect, it } from 'vitest';
import { type Case, renderIssue } from '../testing/judge.ts';
import { parseMeshNetworks } from './parse-mesh-networks.ts';

function network(members: object): object {
  return { networks: { n: members } };
}

const cases: readonly Case[] = [
  [
    'a network',
    network({
      endpoints: [{ fromCidr: '10.0.0.0/8' }, { fromRegistry: 'cluster-1' }],
      gateways: [
        { address: '1.1.1.1', port: 443 },
        { registryServiceName: 'gw.istio-system.svc.cluster.local', port: 15_443, locality: 'r' },
      ],
    }),
  ],
  ['no networks', {}],
  ['an unknown field', network({ gateway: [] }), 'warning XEB0008 networks.n.gateway'],
  [
    'a bad block',
    network({ endpoints: [{ fromCidr: '10.0.0.0/99' }] }),
    'error XEB0905 networks.n.endpoints[0].fromCidr',
  ],
  [
    'a bad registry',
    network({ endpoints: [{ fromRegistry: 'a.b' }] }),
    'error XEB0905 networks.n.endpoints[0].fromRegistry',
  ],
  [
    'proto names, and a part that cannot be read',
    network({ endpoints: [{ from_cidr: '10.0.0.0/99' }], gateways: 'none' }),
    'error XEB0001 networks.n.gateways',
    'error XEB0905 networks.n.endpoints[0].from_cidr',
  ],
  ['an endpoint of nothing', network({ endpoints: [{}] }), 'error XEB0006 networks.n.endpoints[0]'],
  ['a gateway by name', network({ gateways: [{ address: 'gw.example.com', port: 443 }] })],
  [
    'a gateway of two kinds',
    network({ gateways: [{ address: '1.1.1.1', registryServiceName: 'a', port: 1 }] }),
    'error XEB0005 networks.n.gateways[0].address',
  ],
  [
    'a bad gateway',
    network({ gateways: [{ registryServiceName: '1.1.1.1', port: 1 }] }),
    'error XEB0905 networks.n.gateways[0].registryServiceName',
  ],
  [
    'a gateway without port',
    network({ gateways: [{ address: '1.1.1.1' }] }),
    'error XEB0105 networks.n.gateways[0].port',
  ],
];

describe('parseMeshNetworks', () => {
  it.each(cases)('%s', (_name, body, ...issues) => {
    const parsed = parseMeshNetworks(body);
    expect(parsed.issues.map(renderIssue)).toEqual(issues);
    expect(parsed.networks === undefined).toBe(parsed.issues.some(({ level }) => level === 'error'));
  });
});
