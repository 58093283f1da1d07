import { err, ok, type Result } from '../../kit/result.ts';
import type { Identity } from '../../model/identity.ts';
import type { MeshSnapshot } from '../../model/mesh-snapshot.ts';
import type { Proxy } from '../../model/proxy.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Counter, Metrics } from '../../telemetry/metrics.ts';
import type { NodeInfo } from '../../xds/node.ts';
import type { Peer } from '../../xds/ports.ts';
import { type Status, StatusCode } from '../../xds/status.ts';
import { authorizeProxy, type ClaimFault, describeRefusal, type Refusal } from './authorize.ts';
import { parseProxy } from './node.ts';
import { PodsByName } from './pods-by-name.ts';

/** Who judges the credentials of proxies. */
export interface ProxyAuthenticator {
  /** What the transport knows of a peer is opaque here. */
  authenticate(credentials: unknown): Promise<ProxyAuthentication>;
}

export type ProxyAuthentication =
  | { readonly kind: 'known'; readonly identity: Identity }
  /** The transport proves nobody, and nobody is asked who he is: what is served there is for whoever comes. */
  | { readonly kind: 'unproven' }
  | { readonly kind: 'unknown'; readonly reason: string }
  | { readonly kind: 'unavailable'; readonly reason: string };

export type ProxyAdmissionDeps = {
  readonly authenticator?: ProxyAuthenticator | undefined;
  readonly clusterId: string;
  readonly log: Logger;
  readonly metrics: Metrics;
};

/** Decides who a new stream is of, or why it is of nobody. */
export class ProxyAdmission {
  readonly #deps: ProxyAdmissionDeps;
  readonly #pods = new PodsByName();
  readonly #refusals: Counter;

  constructor(deps: ProxyAdmissionDeps) {
    this.#deps = deps;
    this.#refusals = deps.metrics.counter({
      name: 'pilot_xds_unauthorized_total',
      help: 'Streams that were refused because of who opened them, or of what they claimed to be.',
      labels: ['reason'],
    });
  }

  /** Why nothing is read of whoever it is. */
  async greet(peer: Peer): Promise<Status | undefined> {
    const authentication = await this.#authenticate(peer);
    return authentication.ok ? undefined : authentication.error;
  }

  /** The mesh is asked for when it is needed: it may be another by the time a credential was judged. */
  async admit(node: NodeInfo, peer: Peer, mesh: () => MeshSnapshot | undefined): Promise<Result<Proxy, Status>> {
    const authentication = await this.#authenticate(peer);
    if (!authentication.ok) return authentication;
    const parsed = parseProxy(node);
    if (!parsed.ok) return err({ code: StatusCode.INVALID_ARGUMENT, message: parsed.error });
    const { identity } = authentication.value;
    if (identity === undefined) return parsed;
    const current = mesh();
    if (current === undefined) return err({ code: StatusCode.UNAVAILABLE, message: 'the server is not ready yet' });
    const pod = this.#pods.find(current.config.objects.Pod, parsed.value.name);
    const allowed = authorizeProxy(parsed.value, identity, { mesh: current, clusterId: this.#deps.clusterId, pod });
    return allowed.ok ? ok(allowed.value) : err(this.#forbidden(peer, identity, allowed.error));
  }

  async #authenticate(peer: Peer): Promise<Result<{ readonly identity: Identity | undefined }, Status>> {
    const { authenticator } = this.#deps;
    const answer = (await authenticator?.authenticate(peer.credentials)) ?? { kind: 'unproven' as const };
    switch (answer.kind) {
      case 'known':
        return ok({ identity: answer.identity });
      case 'unproven':
        return ok({ identity: undefined });
      case 'unknown':
        return err(this.#unauthenticated(peer, answer.reason));
      case 'unavailable':
        return err(this.#unavailable(peer, answer.reason));
    }
  }

  #unauthenticated({ peer }: Peer, reason: string): Status {
    this.#refusals.add(1, { reason: 'unauthenticated' });
    this.#deps.log.info({ peer, reason }, 'stream of somebody unknown refused');
    return { code: StatusCode.UNAUTHENTICATED, message: 'authentication failed' };
  }

  #unavailable({ peer }: Peer, reason: string): Status {
    this.#deps.log.warn({ peer, reason }, 'cannot authenticate who opens a stream');
    return { code: StatusCode.UNAVAILABLE, message: 'credentials cannot be judged at the moment' };
  }

  /** The caller learns which claim was wrong, and nothing of whose it is. */
  #forbidden({ peer }: Peer, identity: Identity, refusal: Refusal): Status {
    this.#refusals.add(1, { reason: refusal.fault });
    this.#deps.log.info({ peer, reason: describeRefusal(identity, refusal) }, 'stream of a proxy refused');
    if (refusal.fault === 'unknown workload') {
      return { code: StatusCode.UNAVAILABLE, message: 'no Pod and no WorkloadEntry is known for this proxy yet' };
    }
    return { code: StatusCode.PERMISSION_DENIED, message: words[refusal.fault] };
  }
}

const words: Readonly<Record<Exclude<ClaimFault, 'unknown workload'>, string>> = {
  namespace: 'the identity is of another namespace than the node',
  account: 'the identity is of another service account than the node',
  cluster: 'the node is of another cluster',
  address: 'an address of the node is not its own',
  type: 'the node is of another type than its pod',
};
