import { describe, expect, test } from 'vitest';
import { getsRoots, isManaged, type NamespaceRules, readNamespace } from './namespaces.ts';

type Labels = Readonly<Record<string, string>>;

const rules: NamespaceRules = { ownNamespace: 'istio-system', listened: [], enabledByDefault: true };

function namespace(labels: Labels, name = 'shop', more: object = {}) {
  return readNamespace({ metadata: { name, labels, ...more } });
}

describe('whether the accounts of a namespace get identities', () => {
  test.each<{ labels: Labels; own?: Partial<NamespaceRules>; managed: boolean }>([
    { labels: {}, managed: true },
    { labels: {}, own: { enabledByDefault: false }, managed: false },
    { labels: { 'ca.istio.io/override': 'true' }, own: { enabledByDefault: false }, managed: true },
    { labels: { 'ca.istio.io/override': 'false' }, managed: false },
    { labels: { 'ca.istio.io/override': 'F' }, managed: false },
    { labels: { 'ca.istio.io/override': 'perhaps' }, managed: true },
    { labels: { 'ca.istio.io/env': 'istio-system' }, own: { enabledByDefault: false }, managed: true },
    { labels: { 'ca.istio.io/env': 'other-system' }, managed: false },
    { labels: { 'ca.istio.io/env': 'other-system', 'ca.istio.io/override': 'true' }, managed: true },
    { labels: { 'ca.istio.io/env': 'istio-system', 'ca.istio.io/override': 'false' }, managed: false },
    { labels: { 'ca.istio.io/override': 'false' }, own: { listened: ['shop'] }, managed: true },
    { labels: { 'ca.istio.io/override': 'true' }, own: { listened: ['bank'] }, managed: false },
  ])('$labels with $own: $managed', ({ labels, own, managed }) => {
    expect(isManaged(namespace(labels), { ...rules, ...own })).toBe(managed);
  });
});

describe('whether a namespace gets the roots', () => {
  test.each<{ name: string; labels?: Labels; own?: Partial<NamespaceRules>; more?: object; gets: boolean }>([
    { name: 'shop', gets: true },
    { name: 'shop', labels: { 'ca.istio.io/override': 'false' }, gets: true },
    { name: 'shop', labels: { 'ca.istio.io/env': 'istio-system' }, gets: true },
    { name: 'shop', labels: { 'ca.istio.io/env': 'other-system' }, gets: false },
    { name: 'istio-system', labels: { 'ca.istio.io/env': 'other-system' }, gets: true },
    { name: 'kube-public', gets: false },
    { name: 'kube-node-lease', gets: false },
    { name: 'local-path-storage', gets: false },
    { name: 'kube-system', gets: false },
    { name: 'kube-system', labels: { 'istio-injection': 'disabled' }, gets: false },
    { name: 'kube-system', labels: { 'istio-injection': 'enabled' }, gets: true },
    { name: 'kube-system', labels: { 'istio.io/rev': 'canary' }, gets: true },
    { name: 'kube-system', labels: { 'ca.istio.io/override': 'true' }, gets: true },
    { name: 'shop', more: { deletionTimestamp: '2026-01-01T00:00:00Z' }, gets: false },
    { name: 'shop', own: { listened: ['bank'] }, gets: false },
    { name: 'bank', own: { listened: ['bank'] }, gets: true },
    { name: 'istio-system', own: { listened: ['bank'] }, gets: true },
    { name: 'kube-system', own: { ownNamespace: 'kube-system' }, gets: true },
  ])('$name $labels $own $more: $gets', ({ name, labels = {}, own, more, gets }) => {
    expect(getsRoots(namespace(labels, name, more), { ...rules, ...own })).toBe(gets);
  });
});
