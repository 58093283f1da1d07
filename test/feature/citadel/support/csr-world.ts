import { onTestFinished } from 'vitest';
import { Authenticator } from '../../../../src/citadel/authn/authenticator.ts';
import { TokenReviews } from '../../../../src/citadel/authn/token-reviews.ts';
import { CsrServer, type CsrServerDeps } from '../../../../src/citadel/csr/csr-server.ts';
import type { PlacedAccount } from '../../../../src/citadel/csr/impersonation.ts';
import { WorkerSigner } from '../../../../src/citadel/csr/worker-signer.ts';
import { type Issuer, issueIdentity } from '../../../../src/citadel/issuer.ts';
import { TestIssuers, testIssuer, testRoot } from '../../../../src/citadel/testing/issuers.ts';
import { issueLeaf } from '../../../../src/citadel/x509/authority.ts';
import { decodeMessage, encodeMessage } from '../../../../src/gen/codec.ts';
import type { AuthIstioCertificateRequest } from '../../../../src/gen/types.ts';
import { systemClock } from '../../../../src/kit/system-clock.ts';
import type { KubeObject, KubeResult } from '../../../../src/kube/api.ts';
import { unreachableError } from '../../../../src/kube/errors.ts';
import { type CallResult, type ClientTls, RpcClient } from '../../../../src/rpc/rpc-client.ts';
import { RpcServer } from '../../../../src/rpc/rpc-server.ts';
import { makePinoLogger } from '../../../../src/telemetry/pino-logger.ts';
import { PromMetrics } from '../../../../src/telemetry/prom-metrics.ts';

export const CREATE = '/istio.v1.auth.IstioCertificateService/CreateCertificate';
export const HANDLE = '/istio.v1.auth.IstioCAService/HandleCSR';
export const HOUR_MS = 3_600_000;
export const LONGEST_MS = 90 * 24 * HOUR_MS;

export type TokenClaims = { readonly aud?: unknown; readonly exp?: unknown; readonly sub?: string };

/** A token as Kubernetes writes them, signed by nobody: who owns it says the API server of `CsrWorld`. */
export function tokenOf(claims: TokenClaims = {}): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const all = { aud: ['istio-ca'], exp: Math.floor(Date.now() / 1000) + 3600, nonce: Math.random(), ...claims };
  return `${part({ alg: 'RS256' })}.${part(all)}.c2lnbmF0dXJl`;
}

type WorldOptions = {
  readonly issuer?: Issuer;
  readonly trustedAccounts?: readonly string[];
  readonly pods?: readonly PlacedAccount[];
  readonly limits?: Partial<CsrServerDeps['limits']>;
};

/** The services that issue certificates, on a real port over TLS, with the API server's word on tokens given by the test. */
export class CsrWorld {
  readonly issuers: TestIssuers;
  readonly log: string[] = [];
  readonly metrics = new PromMetrics();
  /** What the API server says of a token; it does not know others. */
  readonly statuses = new Map<string, KubeObject>();
  isApiUp = true;
  /** Whether the thread that signs has a word. */
  reviews = 0;
  #port = 0;

  private constructor(issuer: Issuer) {
    this.issuers = new TestIssuers(issuer);
  }

  static async start(options: WorldOptions = {}): Promise<CsrWorld> {
    const world = new CsrWorld(options.issuer ?? testIssuer(testRoot('cluster.local', Date.now())));
    await world.#serve(options);
    return world;
  }

  get issuer(): Issuer {
    const issuer = this.issuers.current();
    if (issuer === undefined) throw new Error('nobody signs');
    return issuer;
  }

  /** A token that the API server knows as that of an account. */
  token(account: string, { node, claims }: { readonly node?: string; readonly claims?: TokenClaims } = {}): string {
    const token = tokenOf(claims);
    const [namespace = '', name = ''] = account.split('/');
    this.statuses.set(token, {
      authenticated: true,
      audiences: ['istio-ca'],
      user: {
        username: `system:serviceaccount:${namespace}:${name}`,
        groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
        ...(node === undefined ? {} : { extra: { 'authentication.kubernetes.io/node-name': [node] } }),
      },
    });
    return token;
  }

  pair(account: string, issuer: Partial<Issuer> = {}): { readonly certificate: string; readonly key: string } {
    const [namespace = '', serviceAccount = ''] = account.split('/');
    const identity = { namespace, serviceAccount };
    const { chain, key = '' } = issueIdentity(
      { ...this.issuer, ...issuer },
      { identity, now: Date.now(), lifetimeMs: HOUR_MS },
    );
    return { certificate: chain, key };
  }

  client(pair?: ClientTls['pair']): RpcClient {
    const client = new RpcClient(`127.0.0.1:${this.#port}`, {
      tls: { roots: this.issuer.roots, serverName: 'istiod.istio-system.svc', ...(pair === undefined ? {} : { pair }) },
    });
    onTestFinished(() => client.close());
    return client;
  }

  get port(): number {
    return this.#port;
  }

  async metric(name: string): Promise<number> {
    const lines = (await this.metrics.expose()).split('\n');
    return lines
      .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
      .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }

  async #serve({ trustedAccounts = [], pods = [], limits }: WorldOptions): Promise<void> {
    const log = makePinoLogger('debug', (line) => this.log.push(line));
    const create = (_: unknown, object: KubeObject): Promise<KubeResult> => Promise.resolve(this.#review(object));
    const tokens = new TokenReviews({ kube: { create }, audiences: ['istio-ca'], clock: systemClock });
    const signer = new WorkerSigner(log);
    const stop = new AbortController();
    const over = signer.run(stop.signal);
    const csr = new CsrServer({
      authenticator: new Authenticator({ trustDomains: () => ['cluster.local'], tokens, clock: systemClock }),
      issuer: this.issuers,
      signer,
      lifetimes: { defaultMs: 24 * HOUR_MS, longestMs: LONGEST_MS },
      impersonation: {
        trustedAccounts: new Set(trustedAccounts),
        hasPodOnNode: (asked) =>
          pods.some(
            ({ node, namespace, serviceAccount }) =>
              node === asked.node && namespace === asked.namespace && serviceAccount === asked.serviceAccount,
          ),
      },
      limits: { perSecond: 1000, burst: 1000, waiting: 5000, ...limits },
      clock: systemClock,
      log,
      metrics: this.metrics,
    });
    const server = new RpcServer({
      methods: csr.methods(),
      clock: systemClock,
      log,
      metrics: this.metrics,
      transport: 'tls',
    });
    const serving = issueLeaf(this.issuer.signer, {
      subject: {},
      names: [{ kind: 'dns', value: 'istiod.istio-system.svc' }],
      usages: ['server'],
      validity: { notBefore: Date.now() - HOUR_MS, notAfter: Date.now() + HOUR_MS },
    });
    const { intermediates, roots } = this.issuer;
    const used = server.useTls({ ...serving, certificate: serving.certificate + intermediates, roots });
    if (!used.ok) throw new Error(used.error);
    const bound = await server.listen({ host: '127.0.0.1', port: 0 });
    if (!bound.ok) throw new Error(bound.error.message);
    this.#port = bound.value.port;
    onTestFinished(async () => {
      await server.stop(10);
      stop.abort();
      await over;
    });
  }

  #review(object: KubeObject): KubeResult {
    this.reviews += 1;
    if (!this.isApiUp) return { ok: false, error: unreachableError('connection refused') };
    const { token } = object['spec'] as { readonly token: string };
    const status = this.statuses.get(token) ?? { authenticated: false, error: 'no such token' };
    return { ok: true, value: { ...object, status } };
  }
}

export const bearer = (token: string): Readonly<Record<string, string>> => ({ authorization: `Bearer ${token}` });

/** Asks for a certificate, and says what came of it. */
export async function ask(
  client: RpcClient,
  request: AuthIstioCertificateRequest,
  headers: Readonly<Record<string, string>> = {},
): Promise<CallResult & { readonly chain: readonly string[] }> {
  const message = Buffer.from(encodeMessage('istio.v1.auth.IstioCertificateRequest', request));
  const result = await client.call(CREATE, message, headers);
  const { certChain = [] } =
    result.answer === undefined ? {} : decodeMessage('istio.v1.auth.IstioCertificateResponse', result.answer);
  return { ...result, chain: certChain };
}
