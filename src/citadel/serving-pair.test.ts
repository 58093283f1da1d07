import { createPrivateKey, X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { makeServingPair } from './serving-pair.ts';

const HOUR_MS = 3_600_000;
const now = Date.UTC(2026, 5, 1, 12, 0, 0, 777);

test('a serving pair is valid from two minutes ago, for its names, by its roots', () => {
  const dnsNames = ['xebec.istio-system.svc', 'xebec.istio-system.svc.cluster.local'];
  const pair = makeServingPair({ dnsNames, now, lifetimeMs: 24 * HOUR_MS });
  const leaf = new X509Certificate(pair.certificate);
  const root = new X509Certificate(pair.roots);
  expect(leaf.verify(root.publicKey)).toBe(true);
  expect(leaf.checkPrivateKey(createPrivateKey(pair.key))).toBe(true);
  expect(dnsNames.map((name) => leaf.checkHost(name))).toEqual(dnsNames);
  expect(leaf.validFrom).toBe('Jun  1 11:58:00 2026 GMT');
  expect(Date.parse(leaf.validTo)).toBe(Date.UTC(2026, 5, 2, 12));
  expect(root.validTo).toBe(leaf.validTo);
});

test('two of them have nothing in common', () => {
  const make = (): ReturnType<typeof makeServingPair> =>
    makeServingPair({ dnsNames: ['a.b.svc'], now, lifetimeMs: HOUR_MS });
  const [one, other] = [make(), make()];
  const leaf = new X509Certificate(one.certificate);
  expect(leaf.checkIssued(new X509Certificate(other.roots))).toBe(false);
  expect(new X509Certificate(one.roots).subject).not.toBe(new X509Certificate(other.roots).subject);
});
