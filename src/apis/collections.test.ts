import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { apiVersionsOf, type Collection, collectionFor, collections } from './collections.ts';
import { renderIssue } from './testing/judge.ts';

const all: readonly Collection[] = Object.values(collections);
const meta = { name: 'a', namespace: 'shop', annotations: {} };
const service = { hosts: ['a.com'], http: [{ route: [{ destination: { host: 'a' } }] }] };

function object(members: object): object {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'a' },
    spec: service,
    ...members,
  };
}

describe('collections', () => {
  it('knows every kind by its own name', () => {
    for (const [kind, collection] of Object.entries(collections)) expect(collection.kind).toBe(kind);
  });

  it('has no two kinds with one plural in one group', () => {
    const names = all.map(({ group, plural }) => `${plural}.${group}`);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(['v1', 'v1beta1', 'v1alpha3'])('finds a VirtualService of %s', (version) => {
    expect(collectionFor(`networking.istio.io/${version}`, 'VirtualService')).toBe(collections.VirtualService);
  });

  it.each([
    ['v1', 'Service', 'Service'],
    ['discovery.k8s.io/v1', 'EndpointSlice', 'EndpointSlice'],
    ['apps/v1', 'Deployment', 'Deployment'],
    ['networking.istio.io/v1beta1', 'ProxyConfig', 'ProxyConfig'],
  ])('finds %s %s', (apiVersion, kind, name) => {
    expect(collectionFor(apiVersion, kind)?.kind).toBe(name);
  });

  it.each([
    ['networking.istio.io/v1', 'EnvoyFilter'],
    ['networking.istio.io/v2', 'VirtualService'],
    ['gateway.networking.k8s.io/v1', 'Gateway'],
    ['v1', 'constructor'],
    ['', ''],
  ])('does not read %s %s', (apiVersion, kind) => {
    expect(collectionFor(apiVersion, kind)).toBeUndefined();
  });

  it('lists the API versions of a kind', () => {
    expect(apiVersionsOf(collections.EnvoyFilter)).toEqual(['networking.istio.io/v1alpha3']);
    expect(apiVersionsOf(collections.Pod)).toEqual(['v1']);
  });
});

describe('objects', () => {
  it.each([
    ['a good one', object({ status: {} }), []],
    ['one that does not say what it is', { spec: service }, []],
    ['another version', object({ apiVersion: 'networking.istio.io/v9' }), ['error XEB0010 apiVersion']],
    ['another kind', object({ kind: 'Gateway' }), ['error XEB0010 kind']],
    ['a spec that is indented wrongly', object({ http: [] }), ['error XEB0009 http']],
    ['a misspelled part', object({ sepc: {} }), ['error XEB0009 sepc']],
    ['no spec', { metadata: {} }, ['error XEB0002 spec']],
    ['null as spec', object({ spec: null }), ['error XEB0002 spec']],
    ['a list as spec', object({ spec: [] }), ['error XEB0001 spec']],
    ['text', 'a', ['error XEB0001 ']],
    ['null', null, ['error XEB0001 ']],
  ])('%s', (_, given, issues) => {
    const checked = collections.VirtualService.check(given, meta);
    expect(checked.issues.map(renderIssue)).toEqual(issues);
    expect(checked.spec === undefined).toBe(issues.length > 0);
  });

  it('says what to do about a spec that is not there, or that its content slipped out of', () => {
    const messageOf = (given: object) => collections.VirtualService.check(given, meta).issues[0]?.message;
    expect(messageOf({ metadata: {} })).toBe('is required and missing; add it');
    expect(messageOf(object({ spec: null }))).toBe('is empty; indent what belongs to it below it');
  });

  it('says which versions are read', () => {
    const { issues } = collections.VirtualService.check(object({ apiVersion: 'networking.istio.io/v9' }), meta);
    expect(issues[0]?.message).toBe(
      'is not a version of VirtualService that is read (got text "networking.istio.io/v9", allowed networking.istio.io/v1, networking.istio.io/v1beta1, networking.istio.io/v1alpha3)',
    );
  });

  it('reports what cannot be read and what breaks a rule at once, without guessing about what rests on it', () => {
    const spec = {
      hosts: ['a_b'],
      http: [{ route: [{ destination: { host: 5 }, weight: -1 }] }, { timeout: '0s', redirect: { uri: 1 } }],
    };
    const { issues } = collections.VirtualService.check(object({ spec }), meta);
    expect(issues.map(renderIssue)).toEqual([
      'error XEB0001 spec.http[0].route[0].destination.host',
      'error XEB0001 spec.http[1].redirect.uri',
      'error XEB0101 spec.hosts[0]',
      'error XEB0206 spec.http[0].route[0].weight',
      'error XEB0109 spec.http[1].timeout',
    ]);
  });

  it('keeps warnings for later while something cannot be read, and takes misspelled names for what was meant', () => {
    const linesOf = (kind: 'Gateway' | 'ServiceEntry', spec: object): readonly string[] =>
      collections[kind].check({ spec }, meta).issues.map(renderIssue);
    const server = { hosts: ['a.com'], port: { number: 443, name: 'https', protocol: 'HTTPS' } };
    expect(linesOf('Gateway', { servers: [{ ...server, tls: { mode: 'simple', credentialName: 'a' } }] })).toEqual([
      'error XEB0003 spec.servers[0].tls.mode',
    ]);
    const endpoints = [{ address: '1.1.1.1' }];
    expect(linesOf('ServiceEntry', { hosts: ['*a.com'], resolution: 'static', endpoints })).toEqual([
      'error XEB0003 spec.resolution',
    ]);
  });

  it('keeps a path as the author wrote it', () => {
    const spec = {
      hosts: ['a'],
      http: [{ route: [{ destination: { host: 'a' } }], mirror_percentage: { value: 101 } }],
    };
    const { issues } = collections.VirtualService.check(object({ spec }), meta);
    expect(issues.map(renderIssue)).toEqual(['error XEB0110 spec.http[0].mirror_percentage.value']);
  });

  it('warns of a dry run that is none', () => {
    const { issues } = collections.VirtualService.check(object({}), {
      ...meta,
      annotations: { 'istio.io/dry-run': 'true' },
    });
    expect(issues.map(renderIssue)).toEqual(['warning XEB0118 metadata.annotations["istio.io/dry-run"]']);
  });

  it('does not touch what it is given', () => {
    const given = object({
      spec: { hosts: ['a'], http: [{ route: [{ destination: { host: 'a' } }], typo: 1, retry_on: 2 }] },
    });
    const before = structuredClone(given);
    collections.VirtualService.check(given, meta);
    expect(given).toEqual(before);
  });
});

describe('schemas', () => {
  const istio = all.filter(({ source }) => source === 'istio');

  it.each(istio)('$kind becomes a schema for a CRD', ({ schema }) => {
    const json = JSON.stringify(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', reused: 'inline' }));
    expect(json).not.toContain('$ref');
    expect(json).not.toContain('anyOf":[{"type":"object"');
  });

  it('say a oneof the way Istio’s do', () => {
    const json = z.toJSONSchema(collections.DestinationRule.schema, {
      target: 'openapi-3.0',
      io: 'input',
      reused: 'inline',
    });
    expect(JSON.stringify(json)).toContain(
      '"oneOf":[{"not":{"anyOf":[{"required":["simple"]},{"required":["consistentHash"]}]}},{"required":["simple"]},{"required":["consistentHash"]}]',
    );
  });
});
