import { describe, expect, test } from 'vitest';
import { renderPath } from '../../apis/issue.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { ConfigObject } from '../../model/object.ts';
import {
  CREATED_AT,
  delegate,
  destinationRule,
  gateway,
  object,
  pod,
  routeTo,
  service,
  serviceEntry,
  virtualService,
} from '../../testing/builders.ts';
import { configSnapshot } from '../../testing/config.ts';
import { analyze } from './analyze.ts';
import { CandidateAnalysis } from './analyze-candidate.ts';

const young = { createdAt: CREATED_AT + 1 };
const server = { port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['a.com'] };
const opaque = { ports: [{ number: 3306, name: 'tcp', protocol: 'TCP' }], addresses: ['10.9.9.9'] };
const selector = { matchLabels: { app: 'nobody' } };

/** A mesh in which every analyzer finds something. */
const mesh: readonly ConfigObject[] = [
  service('reviews'),
  pod('reviews-1', { labels: { app: 'reviews', version: 'v1' } }),
  virtualService('reviews', { http: [routeTo('reviews', { subset: 'v9' })] }),
  virtualService('again', { hosts: ['reviews'], gateways: ['mesh', 'missing'], http: [routeTo('nowhere')] }, young),
  virtualService('outside', { hosts: ['b.com'], gateways: ['front'] }, young),
  virtualService('root', { hosts: ['c.com'], http: [{ delegate: { name: 'leaf' } }] }),
  delegate('leaf', { http: [{ delegate: { name: 'root' } }] }),
  destinationRule('reviews', { subsets: [{ name: 'v2', labels: { version: 'v2' } }] }),
  destinationRule('nowhere'),
  gateway('front', { servers: [server] }),
  gateway('back', { servers: [server] }, young),
  serviceEntry('one', { hosts: ['one.com'], ...opaque }),
  serviceEntry('two', { hosts: ['two.com'], ...opaque }, young),
  object('AuthorizationPolicy', 'reviews', { selector }),
  object('PeerAuthentication', 'reviews', { selector }),
];

function texts(diagnostics: readonly Diagnostic[]): readonly string[] {
  return diagnostics.map(({ code, path, message }) => `${code} ${renderPath(path)} ${message}`).sort();
}

function said(list: readonly ConfigObject[], candidate: ConfigObject): readonly string[] {
  return texts(new CandidateAnalysis('cluster.local').analyze(configSnapshot(list), candidate));
}

describe('an object, before it is among the others', () => {
  const all = analyze(configSnapshot(mesh));

  test.each(mesh.map((one) => [`${one.kind} ${one.meta.name}`, one] as const))('%s', (_, candidate) => {
    const { kind, meta } = candidate;
    const expected = all.filter(
      ({ object: about, level }) => about?.kind === kind && about.name === meta.name && level !== 'info',
    );
    // In the place of what goes by its name …
    expect(said(mesh, candidate)).toEqual(texts(expected));
    // … and as one that nobody has seen, which is the youngest.
    const others = mesh.filter((one) => one !== candidate);
    if (meta.createdAt === young.createdAt) expect(said(others, candidate)).toEqual(texts(expected));
  });

  test('finds something in most of them', () => {
    expect(mesh.filter((candidate) => said(mesh, candidate).length > 0).length).toBeGreaterThanOrEqual(9);
  });

  test('says nothing that it does not want to hear', () => {
    const candidate = mesh.find(({ meta }) => meta.name === 'again');
    if (candidate === undefined) throw new Error('the mesh has it');
    const annotated = (codes: string): ConfigObject => ({
      ...candidate,
      meta: { ...candidate.meta, annotations: { 'galley.istio.io/analyze-suppress': codes } },
    });
    expect(said(mesh, annotated('*'))).toEqual([]);
    expect(said(mesh, annotated('IST0101')).every((text) => text.startsWith('IST0109'))).toBe(true);
  });

  test('is not compared in a mesh of many thousands', () => {
    const many = Array.from({ length: 5_001 }, (_, index) => service(`s${index}`));
    expect(said(many, virtualService('again', { http: [routeTo('nowhere')] }))).toEqual([]);
    expect(said(many.slice(10), virtualService('again', { http: [routeTo('nowhere')] }))).toHaveLength(1);
  });
});
