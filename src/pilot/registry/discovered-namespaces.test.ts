import { expect, it } from 'vitest';
import { namespace } from '../../testing/builders.ts';
import { buildDiscovery, isDiscovered } from './discovered-namespaces.ts';

const namespaces = [namespace('shop', { mesh: 'on', team: 'a' }), namespace('other'), namespace('istio-system')];

function discovered(selectors: Parameters<typeof buildDiscovery>[0]['selectors']): readonly string[] {
  const filter = buildDiscovery({ selectors, namespaces, rootNamespace: 'istio-system' });
  const names = ['shop', 'other', 'istio-system', 'undefined-one', ''];
  return filter === undefined ? names : names.filter((name) => isDiscovered(filter, name));
}

it.each([
  [[], ['shop', 'other', 'istio-system', 'undefined-one', '']],
  [[{}], ['shop', 'other', 'istio-system', 'undefined-one', '']],
  [[{ matchLabels: { mesh: 'on' } }], ['shop', 'istio-system', '']],
  [[{ matchExpressions: [{ key: 'mesh', operator: 'In', values: ['on'] }] }], ['shop', 'istio-system', '']],
  [
    [{ matchExpressions: [{ key: 'mesh', operator: 'NotIn', values: ['on'] }] }],
    ['other', 'istio-system', 'undefined-one', ''],
  ],
  [[{ matchExpressions: [{ key: 'team', operator: 'Exists' }] }], ['shop', 'istio-system', '']],
  [[{ matchExpressions: [{ key: 'team', operator: 'DoesNotExist' }] }], ['other', 'istio-system', 'undefined-one', '']],
  [
    [{ matchLabels: { mesh: 'on' }, matchExpressions: [{ key: 'team', operator: 'In', values: ['b'] }] }],
    ['istio-system', ''],
  ],
  [
    [{ matchLabels: { mesh: 'off' } }, { matchLabels: { team: 'a' } }],
    ['shop', 'istio-system', ''],
  ],
  [[{ matchExpressions: [{ key: 'team', operator: 'Like' }] }], ['istio-system', '']],
])('%j discovers %j', (selectors, expected) => {
  expect(discovered(selectors)).toEqual(expected);
});
