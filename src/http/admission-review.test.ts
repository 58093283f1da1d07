import { expect, test } from 'vitest';
import { decodeReview, encodeReview } from './admission-review.ts';

function bytes(review: object): Uint8Array {
  return Buffer.from(JSON.stringify(review));
}

const request = {
  uid: 'a-b',
  kind: { group: '', version: 'v1', kind: 'Pod' },
  name: 'web',
  namespace: 'shop',
  operation: 'CREATE',
  subResource: 'ephemeralcontainers',
  object: { spec: {} },
  dryRun: true,
};

test('a review is read, with what is absent as nothing', () => {
  const apiVersion = 'admission.k8s.io/v1';
  expect(decodeReview(bytes({ apiVersion, kind: 'AdmissionReview', request }))).toEqual({
    ok: true,
    value: { apiVersion, request: { ...request, oldObject: undefined } },
  });
  const empty = decodeReview(
    bytes({ apiVersion, kind: 'AdmissionReview', request: { uid: 'a', dryRun: 'yes', name: 5 } }),
  );
  expect(empty).toMatchObject({ ok: true, value: { request: { name: '', operation: '', dryRun: false } } });
});

test('a patch is answered as the API server reads it', () => {
  const review = decodeReview(bytes({ apiVersion: 'admission.k8s.io/v1beta1', kind: 'AdmissionReview', request }));
  if (!review.ok) throw new Error(review.error);
  const patch = [{ op: 'add', path: '/metadata/labels', value: { a: 'Zürich' } }];
  const answer = encodeReview(review.value, { allowed: true, warnings: ['careful'], patch });
  const { apiVersion, response } = JSON.parse(answer) as {
    readonly apiVersion: string;
    readonly response: Readonly<Record<string, unknown>>;
  };
  expect(apiVersion).toBe('admission.k8s.io/v1beta1');
  expect(response).toMatchObject({ uid: 'a-b', allowed: true, warnings: ['careful'], patchType: 'JSONPatch' });
  expect(JSON.parse(Buffer.from(String(response['patch']), 'base64').toString('utf8'))).toEqual(patch);
});
