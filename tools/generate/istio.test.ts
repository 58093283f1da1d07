import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import protobuf from 'protobufjs';
import 'protobufjs/ext/descriptor/index.js';
import { expect, test } from 'vitest';
import { loadIstioCodec } from '../../src/gen/istio.ts';

const virtualService = 'istio.networking.v1alpha3.VirtualService';
const codec = await loadIstioCodec((text) => text);

test('a message is the one of today with the fields that only 1.4 had', () => {
  const spec = { hosts: ['a'], http: [{ websocketUpgrade: true, appendHeaders: { a: 'b' }, mirrorPercentage: {} }] };
  expect(codec.decode(virtualService, codec.encode(virtualService, spec))).toEqual(spec);
});

test('messages that only 1.4 had are there, and those of Kubernetes that it sent', () => {
  for (const name of [
    'istio.authentication.v1alpha1.Policy',
    'istio.policy.v1beta1.Rule',
    'k8s.io.api.core.v1.ServiceSpec',
  ])
    expect(codec.has(name)).toBe(true);
  expect(codec.has('istio.mixer.v1.CheckRequest')).toBe(false);
});

test('durations go through the given function, wherever they are', async () => {
  const seen: string[] = [];
  const recording = await loadIstioCodec((text) => {
    seen.push(text);
    return '90s';
  });
  const spec = { http: [{ timeout: '1m30s', retries: { perTryTimeout: '90s' } }] };
  expect(recording.decode(virtualService, recording.encode(virtualService, spec))).toEqual({
    http: [{ timeout: '90s', retries: { perTryTimeout: '90s' } }],
  });
  expect(seen).toEqual(['1m30s', '90s']);
});

test('maps and structs give the same bytes in any order', () => {
  const bytes = (labels: object, patch: object): Buffer =>
    Buffer.from(
      codec.encode('istio.networking.v1alpha3.EnvoyFilter', {
        workloadSelector: { labels },
        configPatches: [{ patch: { value: patch } }],
      }),
    );
  expect(bytes({ b: '2', a: '1' }, { y: { d: 1, c: 2 }, x: [] })).toEqual(
    bytes({ a: '1', b: '2' }, { x: [], y: { c: 2, d: 1 } }),
  );
});

test('a field that the message does not have, and bytes that are none, are refused', () => {
  expect(() => codec.encode(virtualService, { hots: ['a'] })).toThrow(/hots/);
  expect(() => codec.decode(virtualService, Buffer.from([0x0a, 0x7f]))).toThrow();
});

test('another decoder reads the same', () => {
  const set = gunzipSync(readFileSync(new URL('../../src/gen/istio.bin.gz', import.meta.url)));
  const root = (protobuf.Root as unknown as { fromDescriptor(set: Uint8Array): protobuf.Root }).fromDescriptor(set);
  const spec = {
    hosts: ['a', 'b'],
    http: [{ route: [{ destination: { host: 'c', port: { number: 80 } }, weight: 7 }] }],
  };
  const type = root.lookupType(virtualService);
  expect(type.toObject(type.decode(codec.encode(virtualService, spec)))).toEqual(spec);
});
