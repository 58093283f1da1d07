import { expect, it } from 'vitest';
import { localityOfLabels, localityOfNode, parseLocality } from './locality.ts';

it('parses one to three parts', () => {
  expect(parseLocality('r/z/s')).toEqual({ region: 'r', zone: 'z', subzone: 's' });
  expect(parseLocality('r')).toEqual({ region: 'r', zone: '', subzone: '' });
  expect(parseLocality('')).toBeUndefined();
  expect(parseLocality(undefined)).toBeUndefined();
});

it('prefers the newer label, and takes dots for slashes', () => {
  expect(localityOfLabels({ 'istio-locality': 'r.z.s' })).toEqual({ region: 'r', zone: 'z', subzone: 's' });
  expect(localityOfLabels({ 'istio-locality': 'old', 'topology.istio.io/locality': 'new.z' })).toMatchObject({
    region: 'new',
  });
  expect(localityOfLabels({ 'istio-locality': 'eu.west/1' })).toMatchObject({ region: 'eu.west', zone: '1' });
  expect(localityOfLabels({})).toBeUndefined();
});

it.each(['topology.kubernetes.io', 'failure-domain.beta.kubernetes.io', 'failure-domain.kubernetes.io'])(
  'reads a node labelled by %s',
  (prefix) => {
    expect(
      localityOfNode({ [`${prefix}/region`]: 'r', [`${prefix}/zone`]: 'z', 'topology.istio.io/subzone': 's' }),
    ).toEqual({
      region: 'r',
      zone: 'z',
      subzone: 's',
    });
  },
);

it('knows nothing of a node without labels', () => {
  expect(localityOfNode({ 'topology.istio.io/subzone': 's' })).toBeUndefined();
});
