import fc from 'fast-check';
import type { Manifest } from '../../feature/pilot/support/manifests.ts';
import { labels, made, own, rarely } from './random-words.ts';

// Keys stand in the objects: what is fetched is not the configuration's alone.

const key = {
  kty: 'EC',
  crv: 'P-256',
  // RFC 7517, appendix A.1.
  x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
  y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
};
const jwks = fc.constantFrom('1', '2').map((kid) => JSON.stringify({ keys: [{ ...key, kid }] }));
const issuer = fc.constantFrom('one', 'two');

const rule = fc.record({ issuer, jwks, header: rarely(fc.constantFrom('x-jwt', 'x-token')) }).map((each) => ({
  issuer: each.issuer,
  jwks: each.jwks,
  ...(each.header === undefined ? {} : { fromHeaders: [{ name: each.header }] }),
}));

const requestAuthentications = made(
  'security.istio.io/v1 RequestAuthentication',
  fc.constantFrom('a/p', 'a/q', 'b/p', 'istio-system/p'),
  fc.record({ chosen: rarely(labels), jwtRules: fc.array(rule, { minLength: 1, maxLength: 2 }) }).map((one) => ({
    spec: {
      ...(one.chosen === undefined ? {} : { selector: { matchLabels: one.chosen } }),
      jwtRules: one.jwtRules,
    },
  })),
);

const triggerRules = fc.constantFrom<readonly object[]>(
  [],
  [{ includedPaths: [{ prefix: '/p' }], excludedPaths: [{ exact: '/p/e' }] }],
);

const policies = made(
  'authentication.istio.io/v1alpha1 Policy',
  fc.constantFrom('a/j', 'b/j'),
  fc.record({ name: own, issuer, jwks, triggerRules, port: rarely(fc.constant({ number: 80 })) }).map((one) => ({
    spec: {
      targets: [{ name: one.name, ...(one.port === undefined ? {} : { ports: [one.port] }) }],
      origins: [{ jwt: { issuer: one.issuer, jwks: one.jwks, triggerRules: one.triggerRules } }],
    },
  })),
);

/** What decides which tokens workloads take. */
export const tokenPolicies: readonly fc.Arbitrary<Manifest>[] = [requestAuthentications, policies];
