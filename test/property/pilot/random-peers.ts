import fc from 'fast-check';
import type { Manifest } from '../../feature/pilot/support/manifests.ts';
import { labels, made, own, rarely } from './random-words.ts';

const mode = fc.constantFrom('UNSET', 'DISABLE', 'PERMISSIVE', 'STRICT');
const place = fc.constantFrom('a/p', 'a/q', 'b/p', 'istio-system/p');
const ports = fc.dictionary(
  fc.constantFrom('8080', '9000', '7000'),
  mode.map((each) => ({ mode: each })),
  {
    minKeys: 1,
    maxKeys: 2,
  },
);

const peerAuthentications = made(
  'security.istio.io/v1 PeerAuthentication',
  place,
  fc.record({ mode: rarely(mode), chosen: rarely(labels), ports }).map(({ mode: whole, chosen, ports: levels }) => ({
    spec: {
      ...(whole === undefined ? {} : { mtls: { mode: whole } }),
      ...(chosen === undefined ? {} : { selector: { matchLabels: chosen }, portLevelMtls: levels }),
    },
  })),
);

const peers = fc.constantFrom<readonly object[]>([], [{ mtls: {} }], [{ mtls: { mode: 'PERMISSIVE' } }]);

const policies = made(
  'authentication.istio.io/v1alpha1 Policy',
  fc.constantFrom('a/p', 'a/q', 'b/p'),
  fc.record({ name: own, peers, port: rarely(fc.constantFrom({ number: 80 }, { name: 'tcp' })) }).map((one) => ({
    spec: {
      targets: [{ name: one.name, ...(one.port === undefined ? {} : { ports: [one.port] }) }],
      peers: one.peers,
    },
  })),
);

const defaults = made(
  'authentication.istio.io/v1alpha1 Policy',
  fc.constantFrom('a/default', 'b/default'),
  peers.map((some) => ({ spec: { peers: some } })),
);

const meshPolicies = peers.map(
  (some): Manifest => ({
    apiVersion: 'authentication.istio.io/v1alpha1',
    kind: 'MeshPolicy',
    metadata: { name: 'default' },
    spec: { peers: some },
  }),
);

/** What decides how workloads take connections. */
export const peerPolicies: readonly fc.Arbitrary<Manifest>[] = [peerAuthentications, policies, defaults, meshPolicies];
