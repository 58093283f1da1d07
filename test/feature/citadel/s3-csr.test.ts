import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  alternativeNames,
  constraints,
  dns,
  type Keys,
  requestOf,
  requestPem,
  somebody,
  uri,
} from '../../../src/citadel/testing/hostile.ts';
import { testIssuer, testRoot } from '../../../src/citadel/testing/issuers.ts';
import { createAuthority } from '../../../src/citadel/x509/authority.ts';
import { type Der, decodeDer, truth } from '../../../src/citadel/x509/der.ts';
import { decodeMessage, encodeMessage } from '../../../src/gen/codec.ts';
import { RpcStatusCode } from '../../../src/rpc/status.ts';
import {
  ask,
  bearer,
  CREATE,
  CsrWorld,
  HANDLE,
  HOUR_MS,
  LONGEST_MS,
  type TokenClaims,
  tokenOf,
} from './support/csr-world.ts';

const csr = requestPem(requestOf());
const SPIFFE = 'spiffe://cluster.local/ns/shop/sa/web';
const now = (): number => Math.floor(Date.now() / 1000);

function rsa(modulusLength: number): Keys {
  return generateKeyPairSync('rsa', { modulusLength });
}
const curve = (namedCurve: string): Keys => generateKeyPairSync('ec', { namedCurve });
const RSA_SHA256 = { oid: '1.2.840.113549.1.1.11', hash: 'sha256' };

describe('S3: whose token', () => {
  /** What is wrong, the claims, and what the API server says of it. */
  const bad: readonly (readonly [string, TokenClaims, object | undefined])[] = [
    ['expired', { exp: now() - 1 }, undefined],
    ['expired in the last century', { exp: 1 }, undefined],
    ['without an end', { exp: undefined }, undefined],
    ['that ends at no number', { exp: '2100-01-01' }, undefined],
    ['that ends at infinity', { exp: 1e400 }, undefined],
    ['without an audience', { aud: undefined }, undefined],
    ['for an audience of no text', { aud: 7 }, undefined],
    ['for nobody', { aud: [] }, undefined],
    ['for the API server', { aud: ['https://kubernetes.default.svc'] }, undefined],
    ['for one whose name begins alike', { aud: 'istio-ca.evil' }, undefined],
    ['of a foreign cluster', {}, { authenticated: false, error: 'invalid bearer token' }],
    ['of a pod that was deleted', {}, { authenticated: false, error: 'pod has been deleted' }],
    ['that is authenticated by a word only', {}, { authenticated: 'true' }],
    ['that the API server takes for another audience', {}, { authenticated: true, audiences: ['api'] }],
    ['of an API server that knows no audiences', {}, { authenticated: true, audiences: undefined }],
    ['of a user', {}, { authenticated: true, user: { username: 'admin', groups: ['system:masters'] } }],
    [
      'of a user called as an account is',
      {},
      { authenticated: true, user: { username: 'system:serviceaccount:shop:web', groups: [] } },
    ],
    [
      'of an account with a part too many',
      {},
      { authenticated: true, user: { username: 'system:serviceaccount:shop:web:x' } },
    ],
    [
      'of an account with a part too few',
      {},
      { authenticated: true, user: { username: 'system:serviceaccount:shop' } },
    ],
    [
      'of an account that is no legal name',
      {},
      { authenticated: true, user: { username: 'system:serviceaccount:shop/sa:web' } },
    ],
  ];

  test.each(bad)('a token %s gets nothing', async (_, claims, status) => {
    const world = await CsrWorld.start();
    const token = world.token('shop/web', { claims });
    if (status !== undefined) {
      const user = { groups: ['system:serviceaccounts'], ...(status as { user?: object }).user };
      world.statuses.set(token, { audiences: ['istio-ca'], ...status, user });
    }
    const result = await ask(world.client(), { csr }, bearer(token));
    expect(result).toMatchObject({
      chain: [],
      status: { code: RpcStatusCode.UNAUTHENTICATED, message: 'request authenticate failure' },
    });
    expect(await world.metric('citadel_server_authentication_failure_count')).toBe(1);
    expect(await world.metric('citadel_server_success_cert_issuance_count')).toBe(0);
    expect(world.log.join()).not.toContain(token);
  });

  test.each([
    ['nothing', {}],
    ['an empty header', { authorization: '' }],
    ['a header without a token', { authorization: 'Bearer ' }],
    ['a password', { authorization: 'Basic YTpi' }],
    ['no JWT', { authorization: 'Bearer abc' }],
    ['a JWT of no JSON', { authorization: 'Bearer YQ.YQ.YQ' }],
    ['a token of 20 KB', { authorization: `Bearer ${tokenOf({ sub: 'x'.repeat(15_000) })}` }],
    ['a forwarded certificate', { 'x-forwarded-client-cert': `URI=${SPIFFE}` }],
  ])('%s gets nothing', async (_, headers) => {
    const world = await CsrWorld.start();
    const { status } = await ask(world.client(), { csr }, headers as Readonly<Record<string, string>>);
    expect(status.code).toBe(RpcStatusCode.UNAUTHENTICATED);
    expect(world.reviews).toBe(0);
  });

  test('while no API server answers, a token proves nothing, and the caller is to come again', async () => {
    const world = await CsrWorld.start();
    const token = world.token('shop/web');
    world.isApiUp = false;
    const { status } = await ask(world.client(), { csr }, bearer(token));
    expect(status).toMatchObject({ code: RpcStatusCode.UNAVAILABLE, retryAfterMs: 1000 });
    world.isApiUp = true;
    expect((await ask(world.client(), { csr }, bearer(token))).status.code).toBe(RpcStatusCode.OK);
  });

  test('bulletin 2022-008 (CVE-2022-39388): who calls from this host is nobody for that', async () => {
    const world = await CsrWorld.start();
    for (const headers of [{}, { 'x-forwarded-for': '127.0.0.1' }, { authorization: `Bearer ${tokenOf()}` }]) {
      const { status } = await ask(world.client(), { csr }, headers as Readonly<Record<string, string>>);
      expect(status.code).toBe(RpcStatusCode.UNAUTHENTICATED);
    }
  });
});

describe('S3: what a request may say', () => {
  const withNames = (...names: readonly Der[]): string =>
    requestPem(requestOf({ extensions: [alternativeNames(...names)] }));

  test.each([
    ['nothing more', csr],
    ['the name of another', withNames(uri('spiffe://cluster.local/ns/bank/sa/teller'))],
    ['two names', withNames(uri(SPIFFE), uri('spiffe://cluster.local/ns/bank/sa/teller'))],
    ['a DNS name', withNames(dns('kubernetes.default.svc'))],
    ['to be an authority', requestPem(requestOf({ extensions: [constraints(truth())] }))],
    ['an RSA key', requestPem(requestOf({ keys: rsa(2048), signature: RSA_SHA256 }))],
    ['a key of P-384', requestPem(requestOf({ keys: curve('secp384r1') }))],
    ['the label of old times', requestPem(requestOf(), 'NEW CERTIFICATE REQUEST')],
  ])('with %s, the certificate is for the caller alone', async (_, request) => {
    const world = await CsrWorld.start();
    const { chain, status } = await ask(
      world.client(),
      { csr: request, validityDuration: 3600 },
      bearer(world.token('shop/web')),
    );
    expect(status).toMatchObject({ code: RpcStatusCode.OK });
    const [leaf, root, ...rest] = chain.map((pem) => new X509Certificate(pem));
    if (leaf === undefined || root === undefined) throw new Error('the chain is too short');
    expect([leaf.subjectAltName, leaf.ca, leaf.subject ?? '', rest.length]).toEqual([`URI:${SPIFFE}`, false, '', 0]);
    expect(leaf.verify(root.publicKey)).toBe(true);
    expect(Date.parse(leaf.validTo)).toBeLessThanOrEqual(Date.now() + HOUR_MS);
    expect(Date.parse(leaf.validTo)).toBeGreaterThan(Date.now() + HOUR_MS - 60_000);
  });

  const weak: readonly (readonly [string, string])[] = [
    ['of nothing', ''],
    ['of text', 'please'],
    ['of a certificate', testRoot('x').certificate],
    ['of two blocks', csr + csr],
    ['with text behind it', `${csr}more`],
    ['with bytes behind its DER', requestPem(Buffer.concat([requestOf(), Buffer.from([0])]))],
    ['cut in the middle', requestPem(requestOf().subarray(0, 100))],
    ['of RSA-512', requestPem(requestOf({ keys: rsa(512), signature: RSA_SHA256 }))],
    ['of RSA-1024', requestPem(requestOf({ keys: rsa(1024), signature: RSA_SHA256 }))],
    ['of P-192', requestPem(requestOf({ keys: curve('prime192v1') }))],
    ['of secp256k1', requestPem(requestOf({ keys: curve('secp256k1') }))],
    ['of P-224', requestPem(requestOf({ keys: curve('secp224r1') }))],
    ['signed by another key', requestPem(requestOf({ signer: curve('P-256').privateKey }))],
    [
      'for the key of another',
      requestPem(requestOf({ keyInfo: decodeDer(curve('P-256').publicKey.export({ type: 'spki', format: 'der' })) })),
    ],
    ['signed with SHA-1', requestPem(requestOf({ signature: { oid: '1.2.840.10045.4.1', hash: 'sha1' } }))],
    ['of 17 KiB', csr.replace('\n-----END', `\n${'A'.repeat(17 * 1024)}\n-----END`)],
  ];

  test.each(weak)('a request %s is refused', async (_, request) => {
    const world = await CsrWorld.start();
    const { chain, status } = await ask(world.client(), { csr: request }, bearer(world.token('shop/web')));
    expect([status.code, chain]).toEqual([RpcStatusCode.INVALID_ARGUMENT, []]);
    expect(status.message).toMatch(/^CSR_ERROR: /);
    expect(await world.metric('citadel_server_csr_sign_err_count{error="CSR_ERROR"}')).toBe(1);
  });

  test('a megabyte is refused unread', async () => {
    const world = await CsrWorld.start();
    const { status } = await ask(world.client(), { csr: 'x'.repeat(2 ** 20) }, bearer(world.token('shop/web')));
    expect([status.code, status.message]).toEqual([
      RpcStatusCode.INVALID_ARGUMENT,
      'CSR_ERROR: the message has more than 20480 bytes',
    ]);
    expect(await world.metric('citadel_server_csr_parsing_err_count')).toBe(1);
  });

  test.each([
    [-1, 24 * HOUR_MS],
    [0, 24 * HOUR_MS],
    [60, 60_000],
    [LONGEST_MS / 1000, LONGEST_MS],
  ])('%i seconds are granted as %i ms', async (validityDuration, granted) => {
    const world = await CsrWorld.start();
    const before = Date.now();
    const { chain } = await ask(world.client(), { csr, validityDuration }, bearer(world.token('shop/web')));
    const end = Date.parse(new X509Certificate(chain[0] ?? '').validTo);
    expect(end).toBeGreaterThanOrEqual(Math.floor((before + granted) / 1000) * 1000);
    expect(end).toBeLessThanOrEqual(Date.now() + granted);
  });

  test.each([LONGEST_MS / 1000 + 1, 10 * 365 * 86_400, '9223372036854775807'])(
    '%s seconds are too long',
    async (validityDuration) => {
      const world = await CsrWorld.start();
      const { status } = await ask(world.client(), { csr, validityDuration }, bearer(world.token('shop/web')));
      expect(status.code).toBe(RpcStatusCode.INVALID_ARGUMENT);
      expect(status.message).toBe('TTL_ERROR: at most 7776000 seconds can be asked for');
    },
  );

  test('no certificate outlives its issuer', async () => {
    const validity = { notBefore: Date.now() - HOUR_MS, notAfter: Date.now() + HOUR_MS };
    const root = createAuthority({ subject: { organization: 'short' }, validity });
    const world = await CsrWorld.start({ issuer: testIssuer(root) });
    const { chain } = await ask(world.client(), { csr }, bearer(world.token('shop/web')));
    expect(new X509Certificate(chain[0] ?? '').validTo).toBe(new X509Certificate(root.certificate).validTo);
  });

  test.each([
    ['another signer', { CertSigner: { stringValue: 'clusterissuers.x/y' } }],
    ['an impersonated number', { ImpersonatedIdentity: { numberValue: 7 } }],
  ])('%s cannot be asked for', async (_, fields) => {
    const world = await CsrWorld.start();
    const { status } = await ask(world.client(), { csr, metadata: { fields } }, bearer(world.token('shop/web')));
    expect(status.code).toBe(RpcStatusCode.INVALID_ARGUMENT);
  });

  test('bulletin 2022-003 (CVE-2022-23635): crafted messages of callers known and unknown change nothing', async () => {
    const world = await CsrWorld.start();
    const crafted = [
      Buffer.alloc(0),
      Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]),
      Buffer.alloc(1000, 0xff),
      Buffer.from([0x22, 0x02, 0x0a, 0x00]),
      Buffer.from([0x08, 0x80]),
    ];
    for (let depth = 0, nested = Buffer.alloc(0); depth < 200; depth += 1) {
      nested = Buffer.concat([Buffer.from([0x22, nested.length & 0x7f]), nested.subarray(0, 0x7f)]);
      if (depth % 50 === 0) crafted.push(nested);
    }
    for (const path of [CREATE, HANDLE, '/istio.v1.auth.IstioCertificateService/Nothing']) {
      for (const message of crafted) {
        const unknown = await world.client().call(path, message);
        const known = await world.client().call(path, message, bearer(world.token('shop/web')));
        expect([RpcStatusCode.UNAUTHENTICATED, RpcStatusCode.UNIMPLEMENTED]).toContain(unknown.status.code);
        expect([RpcStatusCode.INVALID_ARGUMENT, RpcStatusCode.UNIMPLEMENTED]).toContain(known.status.code);
      }
    }
    expect((await ask(world.client(), { csr }, bearer(world.token('shop/web')))).status.code).toBe(RpcStatusCode.OK);
    expect(world.log.join()).not.toContain('call failed');
  });
});

test('a client certificate proves who calls, and comes before a token', async () => {
  const world = await CsrWorld.start();
  const known = world.client(world.pair('bank/teller'));
  const { chain } = await ask(known, { csr }, bearer(world.token('shop/web')));
  expect(new X509Certificate(chain[0] ?? '').subjectAltName).toBe('URI:spiffe://cluster.local/ns/bank/sa/teller');
  expect(world.reviews).toBe(0);
  const foreign = world.client(world.pair('bank/teller', { trustDomain: 'elsewhere' }));
  const byToken = await ask(foreign, { csr }, bearer(world.token('shop/web')));
  expect(new X509Certificate(byToken.chain[0] ?? '').subjectAltName).toBe(`URI:${SPIFFE}`);
});

test('the classic service answers the same in its own words, with the caller’s key', async () => {
  const world = await CsrWorld.start();
  const request = { csrPem: Buffer.from(csr), requestedTtlMinutes: 5, credentialType: 'onprem' };
  const message = Buffer.from(encodeMessage('istio.v1.auth.CsrRequest', request));
  const { answer, status } = await world.client().call(HANDLE, message, bearer(world.token('shop/web')));
  expect(status.code).toBe(RpcStatusCode.OK);
  const response = decodeMessage('istio.v1.auth.CsrResponse', answer ?? Buffer.alloc(0));
  expect(response).toMatchObject({ isApproved: true });
  const leaf = new X509Certificate(Buffer.from(response.signedCert ?? []));
  expect([leaf.subjectAltName, leaf.publicKey.equals(createPublicKey(somebody.privateKey))]).toEqual([
    `URI:${SPIFFE}`,
    true,
  ]);
  expect(Date.parse(leaf.validTo)).toBeLessThanOrEqual(Date.now() + 300_000);
  expect(Buffer.from(response.certChain ?? []).toString()).toBe(world.issuer.roots);
});

test('before there is an authority, the caller is to come again', async () => {
  const world = await CsrWorld.start();
  const client = world.client();
  const token = world.token('shop/web');
  world.issuers.use(undefined);
  const { status } = await ask(client, { csr }, bearer(token));
  expect(status).toMatchObject({ code: RpcStatusCode.UNAVAILABLE, retryAfterMs: 1000 });
  expect(await world.metric('citadel_server_csr_sign_err_count{error="CA_NOT_READY"}')).toBe(1);
});

test('an authority that has ended signs nothing that has ended with it', async () => {
  const world = await CsrWorld.start();
  const validity = { notBefore: Date.now() - 2 * HOUR_MS, notAfter: Date.now() - HOUR_MS };
  const client = world.client();
  const token = world.token('shop/web');
  world.issuers.use(testIssuer(createAuthority({ subject: { organization: 'old' }, validity })));
  const { status } = await ask(client, { csr }, bearer(token));
  expect(status).toMatchObject({ code: RpcStatusCode.UNAVAILABLE, retryAfterMs: 1000 });
  expect(await world.metric('citadel_server_csr_sign_err_count{error="CA_NOT_READY"}')).toBe(1);
  expect(await world.metric('citadel_server_success_cert_issuance_count')).toBe(0);
});

test('a namespace that floods waits for itself', async () => {
  const world = await CsrWorld.start({ limits: { perSecond: 50, burst: 5, waiting: 10 } });
  const flood = world.client(world.pair('shop/web'));
  const other = world.client(world.pair('bank/teller'));
  expect((await ask(other, { csr })).status.code).toBe(RpcStatusCode.OK);
  const flooding = Promise.all(Array.from({ length: 60 }, () => ask(flood, { csr })));
  const quiet = await Promise.all(Array.from({ length: 3 }, () => ask(other, { csr })));
  expect(quiet.map(({ status }) => status.code)).toEqual([RpcStatusCode.OK, RpcStatusCode.OK, RpcStatusCode.OK]);
  const refused = (await flooding).filter(({ status }) => status.code === RpcStatusCode.RESOURCE_EXHAUSTED);
  expect(refused.length).toBeGreaterThan(20);
  for (const { status } of refused) expect(status.retryAfterMs).toBeGreaterThan(0);
  expect(await world.metric('xebec_citadel_csr_limited_total')).toBe(refused.length);
});
