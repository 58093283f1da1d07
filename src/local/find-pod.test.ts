import { describe, expect, test } from 'vitest';
import { findPod } from './find-pod.ts';

const pod = (namespace: string, deployment: string) => ({ namespace, deployment, name: `${deployment}-1a2b3c4d-0` });
const pods = [
  pod('foo', 'sleep'),
  pod('bar', 'sleep'),
  pod('default', 'sleep'),
  pod('foo', 'httpbin'),
  pod('bar', 'httpbin'),
  pod('default', 'reviews-v1'),
  pod('istio-system', 'istio-ingressgateway'),
];

describe('finding a pod', () => {
  test.each([
    ['sleep', pods[2]],
    ['foo/sleep', pods[0]],
    ['bar/sleep-1a2b3c4d-0', pods[1]],
    ['reviews', pods[5]],
    ['istio-ingressgateway', pods[6]],
  ])('%s', (wanted, found) => {
    expect(findPod(pods, wanted)).toBe(found);
  });

  test.each([
    ['nobody', 'no pod is called nobody; `xebec local status` lists them'],
    ['legacy/sleep', 'no pod is called legacy/sleep; `xebec local status` lists them'],
    ['httpbin', 'httpbin is in several namespaces; say which: bar/httpbin, foo/httpbin'],
  ])('not %s', (wanted, problem) => {
    expect(findPod(pods, wanted)).toEqual({ problem });
  });
});
