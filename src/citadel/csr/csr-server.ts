import type { Clock } from '../../kit/clock.ts';
import { err, ok, type Result } from '../../kit/result.ts';
import { type Identity, spiffeId } from '../../model/identity.ts';
import type { RpcMethod } from '../../rpc/rpc-server.ts';
import { type RpcStatus, RpcStatusCode } from '../../rpc/status.ts';
import { type UnaryAnswer, type UnaryCall, unaryMethod } from '../../rpc/unary.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Authenticator } from '../authn/authenticator.ts';
import type { Caller } from '../authn/caller.ts';
import type { Issuer, IssuerSource } from '../issuer.ts';
import { type CsrCall, type CsrService, csrServices } from './csr-call.ts';
import { type CsrMetrics, makeCsrMetrics, type SignError } from './csr-metrics.ts';
import { FairRate, type FairRateLimits } from './fair-rate.ts';
import { type ImpersonationRules, impersonatedIdentity } from './impersonation.ts';
import type { WorkerSigner } from './worker-signer.ts';

export type CsrServerDeps = {
  readonly authenticator: Pick<Authenticator, 'authenticate'>;
  readonly issuer: IssuerSource;
  readonly signer: Pick<WorkerSigner, 'sign'>;
  readonly lifetimes: { readonly defaultMs: number; readonly longestMs: number };
  readonly impersonation: Pick<ImpersonationRules, 'trustedAccounts' | 'hasPodOnNode'>;
  readonly limits: FairRateLimits;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
};

/** When whoever judges tokens, or signs, cannot be asked. */
const UNAVAILABLE_RETRY_MS = 1_000;

/**
 * Issues certificates to whoever proves an identity. The caller's credential says for whom a certificate is; its request gives the
 * key, and whatever else it asks for counts for nothing.
 */
export class CsrServer {
  readonly #deps: CsrServerDeps;
  readonly #metrics: CsrMetrics;
  readonly #rate: FairRate;

  constructor(deps: CsrServerDeps) {
    this.#deps = deps;
    this.#metrics = makeCsrMetrics(deps.metrics);
    this.#rate = new FairRate(deps.limits, deps.clock);
  }

  methods(): readonly RpcMethod[] {
    return csrServices.map((service) =>
      unaryMethod(service.path, {
        admit: (call) => this.#admit(call),
        answer: (message, caller, call) => this.#answer(service, { message, caller }, call),
      }),
    );
  }

  async #answer(
    service: CsrService,
    { message, caller }: { readonly message: Buffer; readonly caller: Caller },
    call: UnaryCall,
  ): Promise<UnaryAnswer> {
    const request = service.read(message);
    if (!request.ok) {
      this.#metrics.parsingErrors.add();
      return refused(this.#fault('CSR_ERROR', request.error, call));
    }
    const turn = await this.#rate.turn(caller.identity.namespace);
    if (turn.kind === 'later') {
      this.#metrics.limited.add();
      const { retryAfterMs } = turn;
      return refused({
        code: RpcStatusCode.RESOURCE_EXHAUSTED,
        message: 'too many certificate requests',
        retryAfterMs,
      });
    }
    // Who went away while waiting gets nothing, and costs nothing.
    if (call.closed.aborted) return refused({ code: RpcStatusCode.CANCELLED, message: 'the caller went away' });
    const issued = await this.#issue(caller, request.value, call);
    return issued.ok ? { kind: 'answer', message: service.write(issued.value) } : refused(issued.error);
  }

  async #admit({ credentials, peer }: UnaryCall): Promise<Result<Caller, RpcStatus>> {
    this.#metrics.requests.add();
    const authentication = await this.#deps.authenticator.authenticate(credentials);
    switch (authentication.kind) {
      case 'known':
        return ok(authentication.caller);
      case 'unknown':
        return err(this.#unauthenticated(peer, authentication.reason));
      case 'unavailable':
        this.#metrics.authenticationFailures.add();
        this.#deps.log.warn({ peer, reason: authentication.reason }, 'cannot authenticate who asks for a certificate');
        return err(unavailable('credentials cannot be judged at the moment'));
    }
  }

  async #issue(caller: Caller, request: CsrCall, call: UnaryCall): Promise<Result<IssuedChain, RpcStatus>> {
    const { clock, signer, log } = this.#deps;
    const issuer = this.#deps.issuer.current();
    if (issuer === undefined) return err(this.#notReady('there is no authority yet that could sign'));
    const lifetimeMs = this.#lifetime(request.lifetimeMs);
    if (!lifetimeMs.ok) return err(this.#fault('TTL_ERROR', lifetimeMs.error, call));
    const identity = this.#identityFor(caller, request, issuer);
    if (!identity.ok) return err(this.#forbidden(caller, identity.error, call));
    const job = { csr: request.csr, identity: identity.value, lifetimeMs: lifetimeMs.value, now: clock.now() };
    try {
      const signed = await signer.sign(issuer, job);
      if (!signed.ok) return err(this.#fault('CSR_ERROR', signed.error, call));
      const { leaf, notAfter } = signed.value;
      if (notAfter <= job.now) return err(this.#notReady('the signing certificate has ended'));
      this.#metrics.issued.add();
      log.debug(
        { identity: spiffeId({ ...identity.value, trustDomain: issuer.trustDomain }), notAfter },
        'certificate issued',
      );
      return ok({ leaf, intermediates: issuer.intermediates, roots: issuer.roots });
    } catch (error) {
      this.#metrics.signErrors.add(1, { error: 'CERT_GEN_ERROR' satisfies SignError });
      log.error({ peer: call.peer, error }, 'cannot sign a certificate');
      return err({ code: RpcStatusCode.INTERNAL, message: 'CERT_GEN_ERROR: the certificate could not be signed' });
    }
  }

  #lifetime(wantedMs: number): Result<number, string> {
    const { defaultMs, longestMs } = this.#deps.lifetimes;
    if (!(wantedMs > 0)) return ok(defaultMs);
    return wantedMs > longestMs ? err(`at most ${longestMs / 1000} seconds can be asked for`) : ok(wantedMs);
  }

  #identityFor(caller: Caller, { impersonated }: CsrCall, { trustDomain }: Issuer): Result<Identity, string> {
    if (impersonated === undefined) return ok(caller.identity);
    return impersonatedIdentity(caller, impersonated, { ...this.#deps.impersonation, trustDomain });
  }

  #notReady(message: string): RpcStatus {
    this.#metrics.signErrors.add(1, { error: 'CA_NOT_READY' satisfies SignError });
    return unavailable(message);
  }

  #unauthenticated(peer: string, reason: string): RpcStatus {
    this.#metrics.authenticationFailures.add();
    this.#deps.log.info({ peer, reason }, 'certificate request of somebody unknown');
    return { code: RpcStatusCode.UNAUTHENTICATED, message: 'request authenticate failure' };
  }

  #forbidden({ identity }: Caller, reason: string, { peer }: UnaryCall): RpcStatus {
    this.#metrics.identityErrors.add();
    this.#deps.log.info({ peer, caller: spiffeId(identity), reason }, 'certificate request refused');
    return { code: RpcStatusCode.PERMISSION_DENIED, message: reason };
  }

  #fault(error: SignError, reason: string, { peer }: UnaryCall): RpcStatus {
    this.#metrics.signErrors.add(1, { error });
    this.#deps.log.info({ peer, error, reason }, 'certificate request refused');
    return { code: RpcStatusCode.INVALID_ARGUMENT, message: `${error}: ${reason}` };
  }
}

type IssuedChain = { readonly leaf: string; readonly intermediates: string; readonly roots: string };

function refused(status: RpcStatus): UnaryAnswer {
  return { kind: 'refused', status };
}

function unavailable(message: string): RpcStatus {
  return { code: RpcStatusCode.UNAVAILABLE, message, retryAfterMs: UNAVAILABLE_RETRY_MS };
}
