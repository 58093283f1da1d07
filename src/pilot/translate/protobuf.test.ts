import { describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage } from '../../gen/codec.ts';
import {
  addressOf,
  configPath,
  duration,
  durationOf,
  fractionalPercent,
  secondsOf,
  stringMatcher,
  struct,
  uint32,
} from './protobuf.ts';

describe('durations', () => {
  it.each([
    [0, { seconds: 0, nanos: 0 }],
    [1500, { seconds: 1, nanos: 500_000_000 }],
    [0.25, { seconds: 0, nanos: 250_000 }],
    [-1500, { seconds: -1, nanos: -500_000_000 }],
  ])('%d ms', (millis, expected) => {
    expect(duration(millis)).toEqual(expected);
  });

  it('come from text, and are absent when it is', () => {
    expect(durationOf('1m30s')).toEqual({ seconds: 90, nanos: 0 });
    expect(durationOf(undefined)).toBeUndefined();
    expect(secondsOf('100ms')).toEqual({ value: 1 });
  });
});

it('brings numbers into the range of their field instead of letting them wrap', () => {
  expect(uint32(-1)).toEqual({ value: 0 });
  expect(uint32(1e12)).toEqual({ value: 4_294_967_295 });
  expect(fractionalPercent(0.01)).toEqual({ numerator: 100, denominator: 2 });
  expect(fractionalPercent(250)).toEqual({ numerator: 1_000_000, denominator: 2 });
});

it('says that an empty match asks for presence', () => {
  expect(stringMatcher({})).toBeUndefined();
  expect(stringMatcher({ regex: 'a.*' })).toEqual({ safeRegex: { regex: 'a.*' } });
});

it('writes structs in the order of their keys, nested values included', () => {
  const message = struct({ b: [1, { c: true }], a: 'x', absent: undefined });
  const decoded = decodeMessage('google.protobuf.Struct', encodeMessage('google.protobuf.Struct', message));
  expect(decoded).toEqual({
    fields: {
      a: { stringValue: 'x' },
      b: { listValue: { values: [{ numberValue: 1 }, { structValue: { fields: { c: { boolValue: true } } } }] } },
    },
  });
  expect(Object.keys(message.fields ?? {})).toEqual(['a', 'b']);
});

it('names objects as Istio does', () => {
  expect(configPath({ kind: 'VirtualService', namespace: 'a', name: 'b' })).toBe(
    '/apis/networking.istio.io/v1alpha3/namespaces/a/virtual-service/b',
  );
});

it('knows sockets from IPs', () => {
  expect(addressOf('10.0.0.1', 80)).toEqual({ socketAddress: { address: '10.0.0.1', portValue: 80 } });
  expect(addressOf('unix:///run/app.sock', 0)).toEqual({ pipe: { path: '/run/app.sock' } });
  expect(addressOf('unix://@app', 0)).toEqual({ pipe: { path: '@app' } });
});
