import { describe, expect, it } from 'vitest';
import { renderPath } from '../../apis/issue.ts';
import type { ConfigObject } from '../../model/object.ts';
import { gateway, object, pod, routeTo, service, virtualService } from '../../testing/builders.ts';
import { configSnapshot } from '../../testing/config.ts';
import { analyze } from './analyze.ts';

function findings(...objects: readonly ConfigObject[]): readonly string[] {
  return analyze(configSnapshot(objects)).map(
    ({ code, level, object: of, path, message }) =>
      `${level} ${code} ${of?.kind} ${of?.namespace}/${of?.name} ${renderPath(path)}: ${message}`,
  );
}

const selector = { matchLabels: { app: 'reviews' } };
const reviews = pod('shop/reviews-1', { labels: { app: 'reviews' } });

it('misses the workloads of a policy in its own namespace', () => {
  expect(
    findings(
      reviews,
      object('AuthorizationPolicy', 'shop/there', { selector }),
      object('AuthorizationPolicy', 'other/gone', { selector }),
      object('PeerAuthentication', 'other/gone', { selector }),
      object('RequestAuthentication', 'other/gone', { selector }),
      object('PeerAuthentication', 'other/default', {}),
    ),
  ).toEqual(
    ['AuthorizationPolicy', 'PeerAuthentication', 'RequestAuthentication'].map(
      (kind) =>
        `warning IST0127 ${kind} other/gone spec.selector.matchLabels: no known workload in namespace other has the labels app=reviews: correct them, or start it`,
    ),
  );
});

it('looks for the workloads of a policy of the root namespace everywhere', () => {
  const gone = { selector: { matchLabels: { app: 'nobody' } } };
  expect(
    findings(
      reviews,
      object('AuthorizationPolicy', 'istio-system/there', { selector }),
      object('AuthorizationPolicy', 'istio-system/gone', gone),
    ),
  ).toEqual([
    'warning IST0127 AuthorizationPolicy istio-system/gone spec.selector.matchLabels: no known workload in the mesh has the labels app=nobody: correct them, or start it',
  ]);
});

it('says nothing about workloads where none is known', () => {
  expect(findings(object('AuthorizationPolicy', 'shop/a', { selector }))).toEqual([]);
});

it('hears what an object does not want to hear of', () => {
  const annotations = { 'galley.istio.io/analyze-suppress': 'IST0127' };
  expect(findings(reviews, object('AuthorizationPolicy', 'other/gone', { selector }, { annotations }))).toEqual([]);
});

describe('ports of policies', () => {
  const web = service('shop/reviews', {
    selector: { app: 'reviews' },
    ports: [
      { name: 'http', port: 80, targetPort: 8080 },
      { name: 'tcp', port: 9000, targetPort: 9000 },
    ],
  });
  const told = (kind: string, path: string, name = 'shop/a') =>
    `warning XEB1105 ${kind} ${name} ${path}: policies are about ports of workloads, and 80 is one of Service shop/reviews, whose workloads listen on 8080: write 8080`;
  const operation = { ports: ['9000', '80'], notPorts: ['8080'] };

  it('are those of workloads, not of Services', () => {
    const mtls = { mode: 'STRICT' } as const;
    expect(
      findings(
        reviews,
        web,
        object('PeerAuthentication', 'shop/a', { selector, portLevelMtls: { 80: mtls, 8080: mtls, 7000: mtls } }),
        object('AuthorizationPolicy', 'shop/a', {
          rules: [{ to: [{ operation }], when: [{ key: 'destination.port', values: ['80'] }] }],
        }),
        object('AuthorizationPolicy', 'istio-system/a', { selector, rules: [{ to: [{ operation }] }] }),
      ),
    ).toEqual([
      told('AuthorizationPolicy', 'spec.rules[0].to[0].operation.ports[1]', 'istio-system/a'),
      told('AuthorizationPolicy', 'spec.rules[0].to[0].operation.ports[1]'),
      told('AuthorizationPolicy', 'spec.rules[0].when[0].values[0]'),
      told('PeerAuthentication', 'spec.portLevelMtls["80"]'),
    ]);
  });

  it('may be both, or of others', () => {
    const policy = object('AuthorizationPolicy', 'shop/a', { rules: [{ to: [{ operation }] }] });
    const also = service('shop/also', {
      selector: { app: 'reviews' },
      ports: [{ name: 'a', port: 81, targetPort: 80 }],
    });
    const named = service('shop/named', {
      selector: { app: 'reviews' },
      ports: [{ name: 'a', port: 82, targetPort: 'web' }],
    });
    expect(findings(reviews, web, also, policy)).toEqual([]);
    expect(findings(reviews, web, named, policy)).toEqual([]);
    expect(findings(pod('shop/other', { labels: { app: 'other' } }), web, policy)).toEqual([]);
    expect(findings(reviews, web, object('AuthorizationPolicy', 'other/a', policy.spec))).toEqual([]);
  });
});

const subjects = [{ user: '*' }];

it('misses roles', () => {
  expect(
    findings(
      object('ServiceRole', 'shop/viewer', { rules: [{ services: ['*'] }] }),
      object('ServiceRole', 'istio-system/auditor', { rules: [{ services: ['*'] }] }),
      object('ServiceRoleBinding', 'shop/good', { subjects, roleRef: { kind: 'ServiceRole', name: 'viewer' } }),
      object('ServiceRoleBinding', 'shop/root', { subjects, role: '/auditor' }),
      object('ServiceRoleBinding', 'shop/inline', { subjects, actions: [{ services: ['*'] }] }),
      object('ServiceRoleBinding', 'shop/typo', { subjects, roleRef: { kind: 'ServiceRole', name: 'viewr' } }),
      object('ServiceRoleBinding', 'shop/gone', { subjects, role: 'somebody-else' }),
    ).toSorted(),
  ).toEqual([
    'error IST0101 ServiceRoleBinding shop/gone spec.role: there is no ServiceRole shop/somebody-else: create it, or correct the name',
    'error IST0101 ServiceRoleBinding shop/typo spec.roleRef.name: there is no ServiceRole shop/viewr: did you mean shop/viewer?',
  ]);
});

it('misses the services of a role, where it names one', () => {
  const services = ['reviews.shop.svc.cluster.local', 'ratings.shop.svc.cluster.local', 'prod-*', '*'];
  const found = findings(service('shop/reviews'), object('ServiceRole', 'shop/viewer', { rules: [{ services }] }));
  expect(found).toHaveLength(1);
  expect(found[0]).toContain(
    'error IST0101 ServiceRole shop/viewer spec.rules[0].services[1]: there is no host ratings',
  );
});

describe('routes by claims', () => {
  const entry = pod('istio-system/entry', { labels: { istio: 'ingressgateway', tier: 'edge' } });
  const headers = { '@request.auth.claims.group': { exact: 'dev' } };
  const routes = virtualService('shop/claims', {
    gateways: ['entry'],
    http: [{ ...routeTo('a'), match: [{ headers }] }],
  });
  const jwt = (name: string, matchLabels: Readonly<Record<string, string>>): ConfigObject =>
    object('RequestAuthentication', name, { selector: { matchLabels }, jwtRules: [{ issuer: 'https://a.b' }] });
  const claimsIn = (...objects: readonly ConfigObject[]): readonly string[] =>
    findings(entry, gateway('shop/entry'), routes, ...objects).filter((text) => text.includes('IST0149'));
  const blind = [
    'error IST0149 VirtualService shop/claims spec.http[0].match[0].headers["@request.auth.claims.group"]: matches a JWT claim, but no RequestAuthentication is for the workloads of Gateway shop/entry: add one, or no claim is ever known there',
  ];

  it('need a gateway that looks at tokens', () => {
    expect(claimsIn()).toEqual(blind);
    expect(claimsIn(jwt('istio-system/a', { istio: 'ingressgateway' }))).toEqual([]);
    expect(claimsIn(jwt('istio-system/a', { tier: 'edge' }))).toEqual([]);
    expect(claimsIn(jwt('istio-system/a', {}))).toEqual([]);
    expect(claimsIn(jwt('istio-system/a', { istio: 'other' }))).toEqual(blind);
    expect(claimsIn(jwt('shop/a', {}))).toEqual(blind);
  });

  it('are not judged where nothing is known of workloads, or where the gateway is not there', () => {
    expect(findings(gateway('shop/entry'), routes).filter((text) => text.includes('IST0149'))).toEqual([]);
    expect(findings(entry, routes).filter((text) => text.includes('IST0149'))).toEqual([]);
  });
});
