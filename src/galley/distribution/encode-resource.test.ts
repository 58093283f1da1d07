import { expect, test } from 'vitest';
import { decodeMessage } from '../../gen/codec.ts';
import { canonicalDuration, encodeObject, loadSpecCodec } from './encode-resource.ts';

const codec = await loadSpecCodec();
const meta = { namespace: 'shop', name: 'a', labels: { x: 'y' }, annotations: {}, createdAt: 1_700_000_000_250 };
const body = { message: 'istio.networking.v1alpha3.Gateway', json: { selector: { app: 'gw' } } };

test.each([
  ['1m30s', '90s'],
  ['100ms', '0.1s'],
  ['1.5s', '1.5s'],
  ['0s', '0s'],
  ['-250ms', '-0.25s'],
  ['1ns', '0.000000001s'],
  ['1h0.5s', '3600.5s'],
])('the duration %s is %s', (written, canonical) => {
  expect(canonicalDuration(written)).toBe(canonical);
});

test('a resource carries its name, time, labels and a version that is its content', () => {
  const { name, version, bytes } = encodeObject(codec, { kind: 'Gateway', meta }, body);
  expect(name).toBe('shop/a');
  expect(decodeMessage('istio.mcp.v1alpha1.Resource', bytes)).toMatchObject({
    metadata: { name, version, labels: { x: 'y' }, createTime: { seconds: 1_700_000_000, nanos: 250_000_000 } },
    body: { type_url: 'type.googleapis.com/istio.networking.v1alpha3.Gateway' },
  });
  const again = encodeObject(codec, { kind: 'Gateway', meta: { ...meta, labels: { x: 'z' } } }, body);
  expect(again.version).not.toBe(version);
  expect(encodeObject(codec, { kind: 'Gateway', meta }, body).version).toBe(version);
});

test('the copy of itself that kubectl leaves in an object stays at home', () => {
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{}', kept: 'yes' };
  const { bytes } = encodeObject(codec, { kind: 'Gateway', meta: { ...meta, annotations } }, body);
  expect(decodeMessage('istio.mcp.v1alpha1.Resource', bytes).metadata?.annotations).toEqual({ kept: 'yes' });
});
