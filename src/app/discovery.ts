import type { Citadel } from '../citadel/citadel.ts';
import { ServingCertificate, servingNames } from '../citadel/serving/serving-certificate.ts';
import type { Runnable } from '../kit/run-group.ts';
import { type RpcMethod, RpcServer } from '../rpc/rpc-server.ts';
import type { AssembleInputs } from './assemble.ts';
import type { Callers } from './callers.ts';
import type { Address } from './config.ts';

export type DiscoveryParts = {
  /** Served on both ports. */
  readonly everywhere: readonly RpcMethod[];
  readonly citadel: Citadel | undefined;
  readonly callers: Callers;
};

export type DiscoveryBound = { readonly xds: Address | undefined; readonly xdsPlaintext: Address | undefined };

/** Proxies prove again who they are about so often, and spread over new replicas. */
const SECURE_OPTIONS = {
  maxConnectionAgeMs: 30 * 60_000,
  maxConnectionAgeGraceMs: 10_000,
  maxConnectionIdleMs: 5 * 60_000,
};

/** The gRPC ports of proxies: over TLS, where everybody proves who he is, and in plaintext where that is on. */
export class Discovery {
  readonly #inputs: AssembleInputs;
  readonly #plaintext: RpcServer;
  readonly #secure: RpcServer;
  readonly #certificate: ServingCertificate | undefined;
  /** What lives beside the ports. */
  readonly parts: readonly Runnable[];

  constructor(inputs: AssembleInputs, { everywhere, citadel, callers }: DiscoveryParts) {
    const { config, clock, metrics } = inputs;
    const log = inputs.log.child({ component: 'rpc' });
    this.#inputs = inputs;
    this.#plaintext = new RpcServer({ methods: everywhere, clock, log });
    const csr = citadel?.issues === true ? callers.csrServices(citadel) : undefined;
    const server = new RpcServer({
      methods: [...everywhere, ...(csr?.methods ?? [])],
      clock,
      log,
      metrics,
      transport: 'tls',
      options: SECURE_OPTIONS,
    });
    this.#secure = server;
    if (citadel === undefined || config.xds === undefined) {
      this.parts = [];
      return;
    }
    this.#certificate = new ServingCertificate({
      issuer: citadel.issuer,
      names: servingNames(config.service, config.namespace, config.xdsNames),
      use: (served) => server.useTls(served),
      clock,
      log,
    });
    this.parts = [this.#certificate, ...(csr?.parts ?? [])];
  }

  /** Whether whoever may connect can. */
  get isReady(): boolean {
    return this.#certificate?.isServing ?? true;
  }

  /** Takes the ports that are on, or rejects with a message that says what to do; then none is taken. */
  async bind(): Promise<DiscoveryBound> {
    const { config } = this.#inputs;
    try {
      const xds = config.xds && (await listen('--xds', this.#secure, config.xds));
      const xdsPlaintext =
        config.xdsPlaintext && (await listen('--xds-plaintext', this.#plaintext, config.xdsPlaintext));
      return { xds, xdsPlaintext };
    } catch (error) {
      await this.stop(0);
      throw error;
    }
  }

  async stop(graceMs: number): Promise<void> {
    await Promise.all([this.#plaintext.stop(graceMs), this.#secure.stop(graceMs)]);
  }
}

async function listen(flag: string, server: RpcServer, address: Address): Promise<Address> {
  const bound = await server.listen(address);
  if (!bound.ok) throw new Error(`${flag}: ${bound.error.message}`);
  return bound.value;
}
