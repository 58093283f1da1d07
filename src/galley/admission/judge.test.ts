import { describe, expect, test } from 'vitest';
import type { AdmissionRequest } from '../../http/admission-review.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { judge, type Verdict } from './judge.ts';

const good = { hosts: ['reviews'], http: [{ route: [{ destination: { host: 'reviews' } }] }] };
const bad = { hosts: ['reviews', 'a b'], http: [{ route: [{ destination: { host: '' } }] }] };
const questionable = { ...good, http: [...good.http, ...good.http] };

function virtualService(spec: object, metadata: object = {}): Record<string, unknown> {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'reviews', namespace: 'shop', ...metadata },
    spec,
  };
}

function request(parts: Partial<AdmissionRequest>): AdmissionRequest {
  return {
    uid: '1',
    kind: { group: 'networking.istio.io', version: 'v1', kind: 'VirtualService' },
    subResource: '',
    name: 'reviews',
    namespace: 'shop',
    operation: 'CREATE',
    object: undefined,
    oldObject: undefined,
    dryRun: false,
    ...parts,
  };
}

function judged(parts: Partial<AdmissionRequest>, found: readonly Diagnostic[] = []): Verdict {
  return judge(request(parts), () => found);
}

const passed = { allowed: true, message: undefined, warnings: [], failure: undefined };

describe('an object', () => {
  test('that is good passes', () => {
    expect(judged({ object: virtualService(good) })).toMatchObject(passed);
  });

  test('that is bad is refused with all that is wrong with it, each with its place first', () => {
    const { allowed, message, failure } = judged({ object: virtualService(bad) });
    expect([allowed, failure]).toEqual([false, 'invalid_resource']);
    expect(message?.split('\n')).toEqual([
      'VirtualService shop/reviews has 2 problems:',
      expect.stringMatching(/^ {2}spec\.hosts\[1\]: .+"a b".+ \(XEB\d{4}\)$/),
      expect.stringMatching(/^ {2}spec\.http\[0\]\.route\[0\]\.destination\.host: .+ \(XEB\d{4}\)$/),
    ]);
  });

  test('that is not of the form of its kind is told apart for those who count', () => {
    const { message, failure } = judged({ object: virtualService({ hosts: [5], http: 'x' }) });
    expect(failure).toBe('crd_conversion_error');
    expect(message).toContain('has 2 problems:\n  spec.hosts[0]: has the wrong type');
    expect(judged({ object: { ...virtualService(good), sepc: {} } })).toMatchObject({
      allowed: false,
      failure: 'invalid_resource',
    });
  });

  test('that is questionable passes with warnings', () => {
    expect(judged({ object: virtualService(questionable) })).toMatchObject({
      ...passed,
      warnings: [
        'reviews.spec.http[1]: is never reached: spec.http[0] matches everything it matches; move it up, narrow the ea… (IST0130)',
      ],
    });
  });

  test('is compared with others only when it is good itself, and is never refused for it', () => {
    const finding: Diagnostic = {
      code: 'IST0101',
      level: 'error',
      path: ['spec', 'hosts', 0],
      message: 'is not there',
      object: undefined,
      at: undefined,
    };
    const info: Diagnostic = { ...finding, level: 'info' };
    const verdict = judged({ object: virtualService(good) }, [finding, info]);
    expect(verdict).toMatchObject({ ...passed, warnings: ['reviews.spec.hosts[0]: is not there (IST0101)'] });
    expect(judged({ object: virtualService(bad) }, [finding]).warnings).toEqual([]);
  });

  test('whose name is still to be generated is judged by the rest', () => {
    const metadata = { name: undefined, generateName: 'reviews-' };
    expect(judged({ name: '', object: virtualService(good, metadata) })).toMatchObject(passed);
    expect(judged({ name: '', object: virtualService(bad, metadata) }).message).toContain(
      'VirtualService shop/reviews-* has 2 problems',
    );
  });

  test('without a namespace of its own is in that of the request', () => {
    const { message } = judged({ object: virtualService(bad, { namespace: undefined }) });
    expect(message).toContain('VirtualService shop/reviews');
  });

  test('with more problems than anybody reads names fifty', () => {
    const { message } = judged({ object: virtualService({ hosts: Array.from({ length: 80 }, () => 5) }) });
    expect(message?.split('\n')).toHaveLength(52);
    expect(message).toMatch(/has 80 problems:(.|\n)+\n {2}…and 30 more$/);
  });

  test('with more warnings than anybody reads names five', () => {
    const http = Array.from({ length: 9 }, () => good.http[0]);
    const { warnings } = judged({ object: virtualService({ ...good, http }) });
    expect(warnings).toHaveLength(6);
    expect(warnings[5]).toBe('…and 3 more, run xebec validate');
    for (const warning of warnings) expect(warning.length).toBeLessThanOrEqual(120);
  });

  test('cannot write to a terminal', () => {
    const hosts = ['a\u001b[31m\nb\u2028'];
    const text = judged({ object: virtualService({ hosts, ['\u001b[0m']: 1 }) });
    // eslint-disable-next-line no-control-regex -- control characters are what is looked for
    expect([text.message?.replaceAll('\n  ', ''), ...text.warnings].join('')).not.toMatch(/[\u0000-\u001f\u2028]/);
  });
});

describe('a change', () => {
  const update = (object: object, oldObject: object): Verdict => judged({ operation: 'UPDATE', object, oldObject });

  test('to something bad is refused', () => {
    expect(update(virtualService(bad), virtualService(good)).allowed).toBe(false);
    expect(update(virtualService(bad), virtualService({ ...bad, hosts: ['a'] })).allowed).toBe(false);
  });

  test('that repairs passes', () => {
    expect(update(virtualService(good), virtualService(bad))).toMatchObject(passed);
  });

  test('of labels, finalizers or the status of something bad passes, with warnings', () => {
    const now = { ...virtualService(bad, { labels: { a: 'b' }, finalizers: [] }), status: { observedGeneration: 1 } };
    const verdict = update(now, virtualService(bad, { finalizers: ['x/y'] }));
    expect(verdict).toMatchObject({ allowed: true, failure: undefined });
    expect(verdict.warnings).toHaveLength(2);
  });

  test('between versions that says the same passes', () => {
    const before = { ...virtualService(bad), apiVersion: 'networking.istio.io/v1alpha3' };
    expect(update(virtualService(bad), before).allowed).toBe(true);
  });

  test('of what is being deleted passes', () => {
    const dying = virtualService(bad, { deletionTimestamp: '2026-01-01T00:00:00Z' });
    expect(update(dying, virtualService(good))).toMatchObject(passed);
  });

  test('of a status alone passes', () => {
    expect(judged({ operation: 'UPDATE', subResource: 'status', object: virtualService(bad) })).toMatchObject(passed);
  });
});

describe('a request', () => {
  test.each(['DELETE', 'CONNECT', ''])('to %s passes and is counted', (operation) => {
    expect(judged({ operation, object: null })).toMatchObject({ ...passed, failure: 'unsupported_operation' });
  });

  test.each([null, 'text', 5, [], undefined])('with %j for an object is refused', (object) => {
    expect(judged({ object })).toMatchObject({
      allowed: false,
      message: 'cannot decode configuration: there is no object in the request',
      failure: 'yaml_decode_error',
    });
  });

  test('for another version of a kind is refused, with those that are read', () => {
    const kind = { group: 'networking.istio.io', version: 'v9', kind: 'VirtualService' };
    const { allowed, message, failure } = judged({ kind, object: virtualService(good) });
    expect([allowed, failure]).toEqual([false, 'unknown_type']);
    expect(message).toMatch(/^unrecognized type VirtualService: .+v9.+ use networking\.istio\.io\/v1 or /);
  });

  test.each([
    ['networking.istio.io', 'v1', 'Novelty', 1],
    ['example.com', 'v1', 'VirtualService', 0],
    ['', 'v1', 'Service', 0],
    ['apps', 'v1', 'Deployment', 0],
  ])('for %s/%s %s, which is not judged here, passes', (group, version, kind, warnings) => {
    const verdict = judged({ kind: { group, version, kind }, object: { spec: 5 } });
    expect(verdict).toMatchObject({ allowed: true, failure: undefined, collection: undefined });
    expect(verdict.warnings).toHaveLength(warnings);
  });

  test('that does not say of which kind it is means what the object says', () => {
    const kind = { group: '', version: '', kind: '' };
    expect(judged({ kind, object: virtualService(bad) }).allowed).toBe(false);
    expect(judged({ kind, object: {} }).allowed).toBe(true);
  });

  test('of one kind for an object of another is refused', () => {
    const object = { ...virtualService(good), kind: 'Gateway' };
    expect(judged({ object }).message).toContain('kind: is another kind (got text "Gateway", allowed VirtualService)');
  });
});
