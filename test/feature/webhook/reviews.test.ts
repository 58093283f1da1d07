import { describe, expect, test } from 'vitest';
import { badSpec, goodSpec, reviewOf, virtualService, WebhookProcess } from './support.ts';

describe('a review', () => {
  test('of a good object is allowed, and says whose answer it is', async () => {
    const process = await WebhookProcess.ready();
    const { status, text } = await process.call('/validate', JSON.stringify(reviewOf(virtualService(goodSpec))));
    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid: '705ab4f5-6393-11e8-b7cc-42010a800002', allowed: true },
    });
  });

  test('of a bad object is refused in the words of kubectl', async () => {
    const process = await WebhookProcess.ready();
    const { allowed, status } = await process.review(virtualService(badSpec));
    expect(allowed).toBe(false);
    expect(status).toEqual({
      message: expect.stringContaining('VirtualService shop/reviews has 2 problems:\n  spec.hosts[0]: ') as unknown,
    });
  });

  test.each(['/validate', '/validate/', '/validate/rev/canary', '/admitpilot', '/admitmixer'])(
    'is answered at %s, in the version it was asked in',
    async (path) => {
      const process = await WebhookProcess.ready();
      const review = { ...(reviewOf(virtualService(badSpec)) as object), apiVersion: 'admission.k8s.io/v1beta1' };
      const { status, text } = await process.call(path, JSON.stringify(review));
      expect([status, JSON.parse(text)]).toMatchObject([
        200,
        { apiVersion: 'admission.k8s.io/v1beta1', response: { allowed: false } },
      ]);
    },
  );

  test('of a deletion is allowed on Mixer’s path too', async () => {
    const process = await WebhookProcess.ready();
    const { text } = await process.call('/admitmixer', JSON.stringify(reviewOf(null, { operation: 'DELETE' })));
    expect(JSON.parse(text)).toMatchObject({ response: { allowed: true } });
  });

  test('tells of other objects in warnings, and again when they are there', async () => {
    const process = await WebhookProcess.ready();
    process.source.apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'details', namespace: 'shop' },
      spec: { ports: [{ name: 'http', port: 80 }] },
    });
    await process.until(() => (process.xebec.galley.snapshot()?.objects.Service.length ?? 0) === 1);
    expect((await process.review(virtualService(goodSpec))).warnings).toEqual([
      expect.stringMatching(
        /^reviews\.spec\.http\[0\]\.route\[0\]\.destination\.host: there is no host .+ \(IST0101\)$/,
      ),
    ]);
    const details = virtualService({ hosts: ['details'], http: [{ route: [{ destination: { host: 'details' } }] }] });
    expect(await process.review(details)).toMatchObject({ allowed: true });
    expect((await process.review(details)).warnings).toBeUndefined();
  });

  test('changes nothing, dry run or not', async () => {
    const process = await WebhookProcess.ready();
    const before = process.xebec.galley.snapshot();
    for (const dryRun of [true, false, true]) {
      expect(await process.review(virtualService(goodSpec), { dryRun })).toMatchObject({ allowed: true });
    }
    expect(process.xebec.galley.snapshot()).toBe(before);
    expect(process.xebec.galley.diagnostics()).toEqual([]);
  });

  test('is counted by Istio’s names', async () => {
    const process = await WebhookProcess.ready();
    await process.review(virtualService(goodSpec));
    await process.review(virtualService(badSpec));
    await process.review(virtualService({ hosts: 5 }));
    await process.review(null, { operation: 'DELETE' });
    await process.review(null);
    await process.review({}, { kind: { group: 'example.com', version: 'v1', kind: 'X'.repeat(100) } });
    await process.call('/validate', '');
    const labels = 'group="networking.istio.io",version="v1",resource="virtualservices"';
    const none = 'group="",version="",resource=""';
    const text = await process.metrics.expose();
    expect(text.split('\n').filter((line) => line.startsWith('galley_validation_'))).toEqual([
      `galley_validation_passed{${labels}} 1`,
      `galley_validation_passed{${none}} 1`,
      `galley_validation_failed{${labels},reason="invalid_resource"} 1`,
      `galley_validation_failed{${labels},reason="crd_conversion_error"} 1`,
      `galley_validation_failed{${none},reason="unsupported_operation"} 1`,
      `galley_validation_failed{${none},reason="yaml_decode_error"} 1`,
      'galley_validation_http_error{status="400"} 1',
      'galley_validation_cert_key_updates 1',
      'galley_validation_config_load 0',
      'galley_validation_config_updates 0',
    ]);
  });
});

describe('what is no review', () => {
  const unread: readonly (readonly [string, { body: string; type?: string; status: number; words: string }])[] = [
    ['an empty body', { body: '', status: 400, words: 'no body found' }],
    ['text', { body: 'hello', type: 'text/plain', status: 415, words: 'content type "text/plain" is not read' }],
    ['a form', { body: 'a=b', type: 'application/x-www-form-urlencoded', status: 415, words: 'use application/json' }],
    ['no JSON', { body: '{', status: 400, words: 'could not decode body: ' }],
    [
      'another object',
      { body: '{"kind":"Pod"}', status: 400, words: 'could not decode body: it is no AdmissionReview' },
    ],
    ['no object', { body: '[]', status: 400, words: 'could not decode body: it is no AdmissionReview' }],
    [
      'another version',
      {
        body: '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v2"}',
        status: 400,
        words: 'its apiVersion is none of admission.k8s.io/v1, admission.k8s.io/v1beta1',
      },
    ],
    [
      'no request',
      {
        body: '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}',
        status: 400,
        words: 'could not decode body: it has no request',
      },
    ],
    [
      'no uid',
      {
        body: '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{}}',
        status: 400,
        words: 'could not decode body: its request has no uid',
      },
    ],
  ];

  test.each(unread)('because it is %s is refused', async (_, { body, type, status, words }) => {
    const process = await WebhookProcess.ready();
    const headers = { 'content-type': type ?? 'application/json' };
    const answer = await process.call('/validate', body, { headers });
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(words);
  });

  test('because it is sent elsewhere, or asked for, is refused', async () => {
    const process = await WebhookProcess.ready();
    expect(await process.call('/', '{}')).toMatchObject({ status: 404 });
    expect(await process.call('/validates', '{}')).toMatchObject({ status: 404 });
    expect(await process.call('/validate', undefined, { method: 'GET' })).toMatchObject({ status: 405 });
    expect(await process.call('/ready', undefined, { method: 'GET' })).toEqual({ status: 200, text: 'ready\n' });
  });
});
