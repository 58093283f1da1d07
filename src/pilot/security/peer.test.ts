import { describe, expect, it } from 'vitest';
import type { AuthenticationPolicySpec, PeerAuthenticationSpec } from '../../apis/security/security.ts';
import type { ConfigObject } from '../../model/object.ts';
import { CREATED_AT, clusterObject, object } from '../../testing/builders.ts';
import { configSnapshot } from '../../testing/config.ts';
import { MeshSnapshotBuilder } from '../snapshot/snapshot-builder.ts';
import { at, endpoint, port, service } from '../translate/policy/testing/fixtures.ts';
import { peerRules, selectPeer } from './peer.ts';
import { reportPeers } from './peer-report.ts';
import type { Subject } from './subject.ts';

type Mode = 'UNSET' | 'DISABLE' | 'PERMISSIVE' | 'STRICT';

const age = (second: number) => ({ createdAt: CREATED_AT + second });

function peer(name: string, spec: PeerAuthenticationSpec, second = 0): ConfigObject<'PeerAuthentication'> {
  return object('PeerAuthentication', name, spec, age(second));
}

const whole = (mode: Mode): PeerAuthenticationSpec => ({ mtls: { mode } });
const ofWeb = (mode: Mode | undefined, ports: Record<string, { mode: Mode }> = {}): PeerAuthenticationSpec => ({
  selector: { matchLabels: { app: 'web' } },
  ...(mode === undefined ? {} : { mtls: { mode } }),
  ...(Object.keys(ports).length === 0 ? {} : { portLevelMtls: ports }),
});

function classic(name: string, spec: AuthenticationPolicySpec, second = 0): ConfigObject<'Policy'> {
  return object('Policy', name, spec, age(second));
}

const meshPolicy = (spec: AuthenticationPolicySpec) => clusterObject('MeshPolicy', 'default', spec);
const strict: AuthenticationPolicySpec['peers'] = [{ mtls: {} }];
const permissive: AuthenticationPolicySpec['peers'] = [{ mtls: { mode: 'PERMISSIVE' } }];

const web = service('shop/web', { ports: [port(80), port(81, 'GRPC')] });
const subject: Subject = {
  kind: 'sidecar',
  namespace: 'shop',
  labels: { app: 'web', version: 'v1' },
  targets: [
    { service: web, port: at(web, 80).port, targetPort: 8080 },
    { service: web, port: at(web, 81).port, targetPort: 8081 },
  ],
};

function securityOf(...objects: readonly ConfigObject[]) {
  const builder = new MeshSnapshotBuilder({ domainSuffix: 'cluster.local', clusterId: 'Kubernetes' });
  return builder.build(configSnapshot(objects)).snapshot.security;
}

/** `PERMISSIVE`, or with ports `PERMISSIVE 8080=STRICT`. */
function planOf(objects: readonly ConfigObject[], who: Partial<Subject> = {}): string {
  const { mode, ports } = selectPeer(securityOf(...objects), { ...subject, ...who });
  return [mode, ...[...ports].map(([number, own]) => `${number}=${own}`)].join(' ');
}

describe('the mode of a workload’s ports', () => {
  it.each<[string, readonly ConfigObject[], string]>([
    ['nobody says anything', [], 'PERMISSIVE'],
    ['the mesh', [peer('istio-system/default', whole('STRICT'))], 'STRICT'],
    [
      'the namespace before the mesh',
      [peer('istio-system/a', whole('STRICT')), peer('shop/a', whole('DISABLE'))],
      'DISABLE',
    ],
    [
      'the workload before the namespace',
      [peer('shop/a', whole('STRICT')), peer('shop/b', ofWeb('DISABLE'))],
      'DISABLE',
    ],
    [
      'its port before the workload',
      [peer('shop/a', ofWeb('STRICT', { 8080: { mode: 'DISABLE' } }))],
      'STRICT 8080=DISABLE',
    ],
    ['a port that no service has', [peer('shop/a', ofWeb('STRICT', { 22: { mode: 'DISABLE' } }))], 'STRICT 22=DISABLE'],
    [
      'ports alone',
      [peer('istio-system/a', whole('STRICT')), peer('shop/a', ofWeb(undefined, { 8080: { mode: 'DISABLE' } }))],
      'STRICT 8080=DISABLE',
    ],
    [
      'UNSET inherits',
      [
        peer('istio-system/a', whole('STRICT')),
        peer('shop/a', whole('UNSET')),
        peer('shop/b', ofWeb('UNSET', { 8080: { mode: 'UNSET' } })),
      ],
      'STRICT',
    ],
    ['nothing inherits', [peer('istio-system/a', whole('STRICT')), peer('shop/a', {})], 'STRICT'],
    [
      'the oldest of two, even if UNSET',
      [peer('istio-system/a', whole('STRICT')), peer('shop/b', whole('UNSET'), 1), peer('shop/a', whole('DISABLE'), 2)],
      'STRICT',
    ],
    [
      'the oldest of two for the workload',
      [peer('shop/a', ofWeb('DISABLE'), 2), peer('shop/b', ofWeb('STRICT'), 1)],
      'STRICT',
    ],
    [
      'other namespaces and workloads',
      [
        peer('other/a', whole('STRICT')),
        peer('shop/a', { selector: { matchLabels: { app: 'db' } }, mtls: { mode: 'STRICT' } }),
      ],
      'PERMISSIVE',
    ],
    [
      'a selector without labels is the namespace',
      [peer('shop/a', { selector: {}, mtls: { mode: 'STRICT' } })],
      'STRICT',
    ],
    [
      'a selector in the root namespace is for its own workloads',
      [peer('istio-system/a', ofWeb('STRICT'))],
      'PERMISSIVE',
    ],
  ])('PeerAuthentication: %s', (_, objects, expected) => {
    expect(planOf(objects)).toBe(expected);
  });

  it.each<[string, readonly ConfigObject[], string]>([
    ['the mesh', [meshPolicy({ peers: strict })], 'STRICT'],
    ['mtls without a value is STRICT', [meshPolicy({ peers: [{ mtls: null }] })], 'STRICT'],
    ['PERMISSIVE', [meshPolicy({ peers: permissive })], 'PERMISSIVE'],
    ['no mtls peer takes plaintext only', [meshPolicy({})], 'DISABLE'],
    ['tokens are not mtls', [meshPolicy({ peers: [{ jwt: { issuer: 'x' } }] })], 'DISABLE'],
    ['the namespace before the mesh', [meshPolicy({ peers: strict }), classic('shop/default', {})], 'DISABLE'],
    [
      'a service before the namespace',
      [classic('shop/default', {}), classic('shop/a', { targets: [{ name: 'web' }], peers: strict })],
      'DISABLE 8080=STRICT 8081=STRICT',
    ],
    [
      'its port by number',
      [classic('shop/a', { targets: [{ name: 'web', ports: [{ number: 80 }] }], peers: strict })],
      'PERMISSIVE 8080=STRICT',
    ],
    [
      'its port by name',
      [classic('shop/a', { targets: [{ name: 'web', ports: [{ name: 'grpc' }] }], peers: strict })],
      'PERMISSIVE 8081=STRICT',
    ],
    [
      'a younger port before an older service',
      [
        classic('shop/a', { targets: [{ name: 'web' }], peers: strict }, 1),
        classic('shop/b', { targets: [{ name: 'web', ports: [{ number: 80 }] }] }, 2),
      ],
      'PERMISSIVE 8080=DISABLE 8081=STRICT',
    ],
    [
      'the oldest of two',
      [
        classic('shop/a', { targets: [{ name: 'web' }] }, 2),
        classic('shop/b', { targets: [{ name: 'web' }], peers: strict }, 1),
      ],
      'PERMISSIVE 8080=STRICT 8081=STRICT',
    ],
    ['another service', [classic('shop/a', { targets: [{ name: 'db' }], peers: strict })], 'PERMISSIVE'],
  ])('classic policies: %s', (_, objects, expected) => {
    expect(planOf(objects)).toBe(expected);
  });

  it.each<[string, readonly ConfigObject[], string]>([
    ['mesh', [peer('istio-system/a', whole('PERMISSIVE')), meshPolicy({ peers: strict })], 'PERMISSIVE'],
    ['namespace', [peer('shop/a', whole('PERMISSIVE')), classic('shop/default', { peers: strict })], 'PERMISSIVE'],
    [
      'workload and service',
      [peer('shop/a', ofWeb('PERMISSIVE')), classic('shop/b', { targets: [{ name: 'web' }], peers: strict })],
      'PERMISSIVE',
    ],
    [
      'the narrower classic one still has the say',
      [peer('istio-system/a', whole('STRICT')), classic('shop/default', {})],
      'DISABLE',
    ],
    [
      'UNSET leaves it to the classic one',
      [peer('shop/a', whole('UNSET')), classic('shop/default', { peers: strict })],
      'STRICT',
    ],
  ])('PeerAuthentication before classic: %s', (_, objects, expected) => {
    expect(planOf(objects)).toBe(expected);
  });

  it('is nothing to gateways and gRPC clients', () => {
    const objects = [peer('istio-system/a', whole('STRICT'))];
    expect(planOf(objects, { kind: 'router' })).toBe('PERMISSIVE');
    expect(planOf(objects, { kind: 'proxyless' })).toBe('PERMISSIVE');
  });
});

describe('what is shared', () => {
  const objects = [peer('shop/a', whole('STRICT'))];

  it('is one object for all that the same applies to, also when the mesh moves elsewhere', () => {
    const before = selectPeer(securityOf(...objects), subject);
    const other = { ...subject, labels: { app: 'web', version: 'v2' }, targets: [] };
    expect(selectPeer(securityOf(...objects, peer('other/b', whole('DISABLE'))), other)).toBe(before);
  });

  it('says who decided', () => {
    const { said } = selectPeer(securityOf(...objects), subject);
    expect(said.get('rest')).toEqual({
      object: { kind: 'PeerAuthentication', namespace: 'shop', name: 'a' },
      path: 'spec.mtls.mode',
    });
  });
});

describe('endpoints', () => {
  it('are as the server behind them is', () => {
    const target = endpoint('10.0.0.1', { namespace: 'shop', labels: subject.labels, port: 8080, tlsMode: 'istio' });
    const modeOf = (...objects: readonly ConfigObject[]) =>
      peerRules(securityOf(...objects)).modeOf(target, () => subject.targets);
    expect(modeOf()).toBe('PERMISSIVE');
    expect(modeOf(peer('shop/a', ofWeb('STRICT', { 8080: { mode: 'DISABLE' } })))).toBe('DISABLE');
    expect(modeOf(classic('shop/a', { targets: [{ name: 'web', ports: [{ number: 80 }] }] }))).toBe('DISABLE');
    expect(modeOf(classic('shop/a', { targets: [{ name: 'web', ports: [{ number: 81 }] }] }))).toBe('PERMISSIVE');
  });

  it('are not looked at where nobody takes only plaintext', () => {
    const { mayDisable, mayBeStrict } = peerRules(securityOf(peer('shop/a', whole('STRICT'))));
    expect([mayDisable, mayBeStrict]).toEqual([false, true]);
  });
});

describe('owners are told', () => {
  function report(...objects: readonly ConfigObject[]): readonly string[] {
    const found = reportPeers({ ...securityOf(...objects), services: [web] });
    return found.map(({ code, object: about, path }) => `${code} ${about?.namespace}/${about?.name} ${path.join('.')}`);
  }

  it.each<[string, readonly ConfigObject[], readonly string[]]>([
    [
      'of an older one for the namespace',
      [peer('shop/a', whole('STRICT'), 2), peer('shop/b', whole('DISABLE'), 1)],
      ['XEB2008 shop/a spec.mtls'],
    ],
    [
      'of an older one for the same workloads',
      [peer('shop/a', ofWeb('STRICT'), 1), peer('shop/b', ofWeb('DISABLE'), 2)],
      ['XEB2008 shop/b spec.mtls'],
    ],
    [
      'of one before the classic',
      [
        peer('shop/a', whole('STRICT')),
        classic('shop/default', {}),
        peer('istio-system/a', whole('STRICT')),
        meshPolicy({}),
      ],
      ['XEB2008 shop/default spec.peers', 'XEB2008 /default spec.peers'],
    ],
    [
      'of services and ports that are not there',
      [classic('shop/a', { targets: [{ name: 'wed' }, { name: 'web', ports: [{ number: 80 }, { name: 'tcp' }] }] })],
      ['IST0101 shop/a spec.targets.0.name', 'IST0101 shop/a spec.targets.1.ports.1'],
    ],
    [
      'nothing where all is well',
      [
        peer('shop/a', whole('STRICT')),
        peer('shop/b', ofWeb('DISABLE')),
        classic('shop/c', { targets: [{ name: 'web' }] }),
      ],
      [],
    ],
  ])('%s', (_, objects, expected) => {
    expect(report(...objects)).toEqual(expected);
  });
});
