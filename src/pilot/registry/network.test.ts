import { expect, it } from 'vitest';
import { buildFindNetwork } from './network.ts';

const networks = {
  networks: {
    wide: { endpoints: [{ fromCidr: '10.0.0.0/8' }] },
    narrow: { endpoints: [{ fromCidr: '10.1.0.0/16' }, { fromCidr: 'nonsense' }] },
    six: { endpoints: [{ fromCidr: '2001:db8::/32' }] },
    cluster: { endpoints: [{ fromRegistry: 'Kubernetes' }] },
  },
};
const find = buildFindNetwork({ networks, ownNetwork: '', clusterId: 'Kubernetes' });

it.each([
  ['10.1.2.3', 'narrow'],
  ['10.2.2.3', 'wide'],
  ['2001:db8::1', 'six'],
  ['192.168.0.1', 'cluster'],
])('finds %s in %s', (address, network) => {
  expect(find({ address, labels: {}, inCluster: true })).toBe(network);
});

it('takes the own label first, then that of the Kubernetes cluster', () => {
  const own = buildFindNetwork({ networks, ownNetwork: 'own', clusterId: 'Kubernetes' });
  expect(own({ address: '10.1.2.3', labels: {}, inCluster: true })).toBe('own');
  expect(own({ address: '10.1.2.3', labels: {}, inCluster: false })).toBe('narrow');
  expect(own({ address: '10.1.2.3', labels: { 'topology.istio.io/network': 'said' }, inCluster: true })).toBe('said');
});

it('does not place a written endpoint in the network of a registry, nor a name anywhere', () => {
  expect(find({ address: '192.168.0.1', labels: {}, inCluster: false })).toBe('');
  expect(find({ address: 'example.com', labels: {}, inCluster: false })).toBe('');
});
