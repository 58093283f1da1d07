import { availableParallelism } from 'node:os';
import { Authenticator } from '../citadel/authn/authenticator.ts';
import type { Credentials } from '../citadel/authn/caller.ts';
import { TokenReviews } from '../citadel/authn/token-reviews.ts';
import type { Citadel } from '../citadel/citadel.ts';
import { CsrServer } from '../citadel/csr/csr-server.ts';
import type { PlacedAccount } from '../citadel/csr/impersonation.ts';
import { WorkerSigner } from '../citadel/csr/worker-signer.ts';
import type { Galley } from '../galley/galley.ts';
import type { Runnable } from '../kit/run-group.ts';
import type { ConfigSnapshot } from '../model/config-snapshot.ts';
import { spiffeId } from '../model/identity.ts';
import type { ProxyAuthentication } from '../pilot/proxy/admission.ts';
import type { RpcMethod } from '../rpc/rpc-server.ts';
import { type Status, StatusCode } from '../xds/status.ts';
import type { AssembleInputs } from './assemble.ts';
import type { Cluster } from './cluster.ts';

/** Certificates a second for each core; whoever floods waits for itself. */
const CSRS_PER_CORE = 200;

/** Who the callers of the port over TLS are, and what they may have. */
export class Callers {
  readonly #inputs: AssembleInputs;
  readonly #authenticator: Authenticator;
  readonly #snapshot: () => ConfigSnapshot | undefined;

  constructor(inputs: AssembleInputs, cluster: Cluster | undefined, galley: Galley) {
    const { config, clock } = inputs;
    this.#inputs = inputs;
    this.#snapshot = () => galley.snapshot();
    const { tokenAudiences: audiences } = config;
    this.#authenticator = new Authenticator({
      trustDomains: () => trustDomains(galley.snapshot()),
      tokens: cluster && new TokenReviews({ kube: cluster.api, audiences, clock }),
      clock,
    });
  }

  /** For pilot: on plaintext nobody is asked. */
  async authenticate(credentials: unknown): Promise<ProxyAuthentication> {
    const known = credentials as Credentials;
    if (known.transport === 'plaintext') return { kind: 'unproven' };
    const authentication = await this.#authenticator.authenticate(known);
    return authentication.kind === 'known'
      ? { kind: 'known', identity: authentication.caller.identity }
      : authentication;
  }

  /** Why somebody may not read all of the configuration: over TLS, only accounts of the root namespace and those that were named may. */
  async judgeConsumer(credentials: unknown): Promise<Status | undefined> {
    const authentication = await this.authenticate(credentials);
    switch (authentication.kind) {
      case 'unproven':
        return undefined;
      case 'unknown':
        return { code: StatusCode.UNAUTHENTICATED, message: 'authentication failed' };
      case 'unavailable':
        return { code: StatusCode.UNAVAILABLE, message: 'credentials cannot be judged at the moment' };
      case 'known': {
        const { namespace, serviceAccount } = authentication.identity;
        const { config, log } = this.#inputs;
        if (namespace === config.namespace) return undefined;
        if (config.configConsumers.includes(`${namespace}/${serviceAccount}`)) return undefined;
        log.info({ component: 'mcp', caller: spiffeId(authentication.identity) }, 'consumer of configuration refused');
        return {
          code: StatusCode.PERMISSION_DENIED,
          message: 'this identity may not read the configuration of the mesh',
        };
      }
    }
  }

  /** The services that issue certificates, and what runs beside them. */
  csrServices({ issuer }: Citadel): { readonly methods: readonly RpcMethod[]; readonly parts: readonly Runnable[] } {
    const { config, clock, metrics } = this.#inputs;
    const log = this.#inputs.log.child({ component: 'citadel' });
    const signer = new WorkerSigner(log);
    const pods = new PlacedAccounts(this.#snapshot);
    const perSecond = CSRS_PER_CORE * availableParallelism();
    const server = new CsrServer({
      authenticator: this.#authenticator,
      issuer,
      signer,
      lifetimes: { defaultMs: config.workloadCertTtlMs, longestMs: config.maxWorkloadCertTtlMs },
      impersonation: {
        trustedAccounts: new Set(config.trustedNodeAccounts),
        hasPodOnNode: (account) => pods.has(account),
      },
      limits: { perSecond, burst: perSecond, waiting: 5 * perSecond },
      clock,
      log,
      metrics,
    });
    return { methods: server.methods(), parts: [signer] };
  }
}

function trustDomains(snapshot: ConfigSnapshot | undefined): readonly string[] {
  return snapshot === undefined ? [] : [snapshot.mesh.trustDomain, ...snapshot.mesh.trustDomainAliases];
}

/** Which accounts have a pod on which node; gathered again only when there are other pods. */
class PlacedAccounts {
  readonly #snapshot: () => ConfigSnapshot | undefined;
  #of: ConfigSnapshot['objects']['Pod'] | undefined;
  #placed: ReadonlySet<string> = new Set();

  constructor(snapshot: () => ConfigSnapshot | undefined) {
    this.#snapshot = snapshot;
  }

  has({ node, namespace, serviceAccount }: PlacedAccount): boolean {
    const pods = this.#snapshot()?.objects.Pod ?? [];
    if (pods !== this.#of) {
      const running = pods.filter(
        ({ spec }) => spec.nodeName !== '' && spec.phase !== 'Succeeded' && spec.phase !== 'Failed',
      );
      this.#placed = new Set(
        running.map(({ meta, spec }) => `${spec.nodeName}/${meta.namespace}/${spec.serviceAccountName}`),
      );
      this.#of = pods;
    }
    return this.#placed.has(`${node}/${namespace}/${serviceAccount}`);
  }
}
