import { describe, expect, it, test } from 'vitest';
import type { ClientTls } from '../../../apis/networking/networking.ts';
import { decodeMessage } from '../../../gen/codec.ts';
import { Hidden } from '../../../kit/hidden.ts';
import type { GatewaySecret } from '../../../model/gateway-secret.ts';
import { defaults, noPeers, port, rule, service } from '../policy/testing/fixtures.ts';
import type { CredentialSite } from '../secret/find-part.ts';
import { buildOutboundClusters } from './outbound.ts';

const TLS = 'envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext';
const pair = { certificate: 'certificate', key: new Hidden('key'), keyType: 'RSA', expiresAt: 0 } as const;
const roots = { certificates: 'roots', revocations: undefined };

function secret(name: string, more: Partial<GatewaySecret> = {}): GatewaySecret {
  return {
    ref: { kind: 'Secret', namespace: 'edge', name },
    pair: { value: pair, problem: undefined },
    authority: { value: roots, problem: undefined },
    allowedNamespaces: [],
    ...more,
  };
}

const absent = { value: undefined, problem: undefined };
const broken = { value: undefined, problem: 'ca.crt has no CERTIFICATE in PEM' };

function build(tls: ClientTls, secrets: readonly GatewaySecret[], site: Partial<CredentialSite> | 'none' = {}) {
  const credentials = site === 'none' ? undefined : { namespace: 'edge', isProven: true, secrets, ...site };
  const {
    resources,
    secrets: sent,
    diagnostics,
  } = buildOutboundClusters({
    service: service('api.example.com'),
    port: port(443),
    rule: rule({ trafficPolicy: { tls } }),
    dnsEndpoints: undefined,
    client: undefined,
    defaults: { ...defaults, verifyServers: true },
    kind: site === 'none' ? 'sidecar' : 'router',
    ...noPeers,
    credentials,
  });
  const [cluster] = resources;
  const needs = cluster?.needs.map(({ name }) => name).filter((name) => name.startsWith('kubernetes:'));
  return {
    ...read(cluster?.message.transportSocket?.typedConfig?.value),
    needs,
    sent: sent.map(({ name }) => name),
    told: diagnostics.map(({ code, level, message }) => `${level} ${code} ${message}`),
  };
}

function read(config: Uint8Array | undefined): {
  readonly shows: readonly string[];
  readonly trusts: string | undefined;
} {
  const context = config === undefined ? undefined : decodeMessage(TLS, config).commonTlsContext;
  const secret = context?.combinedValidationContext?.validationContextSdsSecretConfig?.name;
  const shows = context?.tlsCertificateSdsSecretConfigs?.flatMap(({ name }) => name ?? []);
  return { shows: shows ?? [], trusts: secret ?? context?.validationContext?.trustedCa?.filename };
}

const MACHINE = '/etc/ssl/certs/ca-certificates.crt';

type Case = {
  readonly tls: ClientTls;
  readonly secrets: readonly GatewaySecret[];
  readonly site: Partial<CredentialSite>;
};

describe('a client that uses a Secret', () => {
  it('trusts whom it says, and shows its pair in mutual TLS', () => {
    expect(build({ mode: 'SIMPLE', credentialName: 'a' }, [secret('a')])).toEqual({
      shows: [],
      trusts: 'kubernetes://a-cacert',
      needs: ['kubernetes://a-cacert'],
      sent: ['kubernetes://a-cacert'],
      told: [],
    });
    expect(build({ mode: 'MUTUAL', credentialName: 'a' }, [secret('a'), secret('a-cacert')])).toEqual({
      shows: ['kubernetes://a'],
      trusts: 'kubernetes://a-cacert',
      needs: ['kubernetes://a', 'kubernetes://a-cacert'],
      sent: ['kubernetes://a', 'kubernetes://a-cacert'],
      told: [],
    });
  });

  it('trusts the machine’s roots where the Secret has a pair alone', () => {
    const { trusts, told } = build({ mode: 'MUTUAL', credentialName: 'a' }, [secret('a', { authority: absent })]);
    expect([trusts, told]).toEqual([MACHINE, []]);
  });

  it.each<[string, Case, RegExp]>([
    [
      'is not there',
      { tls: { mode: 'SIMPLE', credentialName: 'a' }, secrets: [], site: {} },
      /there is no Secret edge\/a/,
    ],
    [
      'says nothing of whom to trust',
      { tls: { mode: 'SIMPLE', credentialName: 'a' }, secrets: [secret('a', { authority: absent })], site: {} },
      /has no certificates of authorities/,
    ],
    [
      'has no pair',
      { tls: { mode: 'MUTUAL', credentialName: 'a' }, secrets: [secret('a', { pair: absent })], site: {} },
      /has no certificate: put/,
    ],
    [
      'has roots that are broken',
      { tls: { mode: 'MUTUAL', credentialName: 'a' }, secrets: [secret('a', { authority: broken })], site: {} },
      /cannot be used: ca.crt/,
    ],
    [
      'is not for who has proven nothing',
      { tls: { mode: 'MUTUAL', credentialName: 'a' }, secrets: [secret('a')], site: { isProven: false } },
      /has not proven who it is/,
    ],
  ])('sends nothing if it %s', (_, { tls, secrets, site }, reason) => {
    const { told, sent, needs } = build(tls, secrets, site);
    expect(told).toEqual([expect.stringMatching(reason)]);
    expect(told[0]).toMatch(/^error XEB2102/);
    expect([sent, needs]).toEqual([[], []]);
  });
});

test('a sidecar that the rule does not choose goes on with files', () => {
  expect(build({ mode: 'SIMPLE', credentialName: 'a' }, [], 'none')).toMatchObject({
    trusts: MACHINE,
    sent: [],
    told: [],
  });
  const { told } = build({ mode: 'MUTUAL', credentialName: 'a' }, [], 'none');
  expect(told).toEqual([expect.stringMatching(/^info XEB2102 .*credentialName is for gateways/)]);
});

test('a Secret that turned bad is used as it was, and the rule’s owner is told', () => {
  const turned = secret('a', { pair: { value: pair, problem: 'tls.key is encrypted' } });
  const { shows, told } = build({ mode: 'MUTUAL', credentialName: 'a' }, [turned]);
  expect([shows, told]).toEqual([
    ['kubernetes://a'],
    [expect.stringMatching(/^warning XEB2105 Secret edge\/a cannot be used as it is now: tls.key is encrypted/)],
  ]);
});
