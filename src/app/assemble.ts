/**
 * The whole process in one place: every part is made here and handed what it needs. Nothing else knows everybody.
 */

import type { Citadel } from '../citadel/citadel.ts';
import type { IssuerSource } from '../citadel/issuer.ts';
import { Galley } from '../galley/galley.ts';
import { MeshConfigFile } from '../galley/sources/mesh-config-file.ts';
import type { Source } from '../galley/sources/source.ts';
import { HttpServer } from '../http/http-server.ts';
import type { Clock } from '../kit/clock.ts';
import { watchEventLoop } from '../kit/loop-watch.ts';
import { type Runnable, runAll } from '../kit/run-group.ts';
import type { KubeConnection } from '../kube/connect.ts';
import type { Keys } from '../pilot/keys/keys.ts';
import { Pilot, type PilotDeps } from '../pilot/pilot.ts';
import type { RpcMethod } from '../rpc/rpc-server.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { PromMetrics } from '../telemetry/prom-metrics.ts';
import { Verdicts } from '../xds/verdicts.ts';
import { adsMethods, XdsServer } from '../xds/xds.ts';
import { adminRoutes, monitoringRoutes } from './admin.ts';
import { Callers } from './callers.ts';
import { makeCitadel } from './citadel.ts';
import { type Cluster, makeCluster, peersOf } from './cluster.ts';
import type { Address, ProcessConfig } from './config.ts';
import { ConfigSourcesWatch } from './config-sources.ts';
import { Discovery } from './discovery.ts';
import { makeKeys } from './keys.ts';
import { LoopDelay } from './loop-delay.ts';
import { Distribution } from './mcp.ts';
import { makeSources } from './sources.ts';
import { makeStatus, type StatusParts } from './status/make-status.ts';
import { VerdictLog } from './verdict-log.ts';
import { type CertificateSource, Webhook } from './webhook.ts';

export type AssembleInputs = {
  readonly config: ProcessConfig;
  /** Where objects come from; by default what the configuration names. */
  readonly sources?: readonly Source[];
  /** The Kubernetes API, where there is one. */
  readonly kube?: KubeConnection | undefined;
  /** Who signs identities; by default what the configuration names. */
  readonly issuer?: IssuerSource;
  readonly clock: Clock;
  /** From 0 up to 1, so that replicas do not all come at once. */
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics: PromMetrics;
};

/** Where a process that was bound serves. */
export type Bound = {
  /** Over TLS. */
  readonly xds: Address | undefined;
  readonly xdsPlaintext: Address | undefined;
  readonly admin: Address;
  readonly monitoring: Address | undefined;
  readonly webhook: Address | undefined;
  readonly mcp: Address | undefined;
};

const GRACE_MS = 1_000;

export class Xebec {
  readonly galley: Galley;
  readonly pilot: Pilot;
  readonly xds: XdsServer;
  readonly verdicts: VerdictLog;
  readonly status: StatusParts;
  readonly loopDelay: LoopDelay;
  readonly webhook: Webhook | undefined;
  readonly distribution: Distribution | undefined;
  readonly citadel: Citadel | undefined;
  readonly #inputs: AssembleInputs;
  readonly #keys: Keys;
  readonly #cluster: Cluster | undefined;
  readonly #discovery: Discovery;
  readonly #http: HttpServer;
  readonly #monitoring: HttpServer;

  constructor(inputs: AssembleInputs) {
    const { config, clock, log, metrics } = inputs;
    const verdicts = new Verdicts();
    this.#inputs = inputs;
    this.#cluster = makeCluster(inputs);
    this.galley = makeGalley(inputs, this.#cluster);
    this.citadel = makeCitadel(inputs, this.#cluster, this.galley);
    const callers = new Callers(inputs, this.#cluster, this.galley);
    this.#keys = makeKeys(inputs);
    this.pilot = makePilot(inputs, { feed: this.galley, keys: this.#keys, authenticator: callers, verdicts });
    this.verdicts = new VerdictLog({
      log: log.child({ component: 'xds' }),
      isOffered: (resource) => this.pilot.offers(resource),
    });
    const runsPilot = config.controllers.includes('pilot');
    const pilotSource = runsPilot ? this.pilot : undefined;
    this.distribution = config.controllers.includes('galley')
      ? new Distribution({ galley: this.galley, verdicts, callers }, inputs)
      : undefined;
    this.xds = new XdsServer({
      source: this.distribution?.beside(pilotSource) ?? this.pilot,
      verdicts,
      listener: this.verdicts,
      isReady: () => (runsPilot ? this.pilot.isReady : this.galley.synced),
      clock,
      log: log.child({ component: 'xds' }),
      metrics,
    });
    const { galley, pilot, xds } = this;
    const parts = { galley, pilot, xds, verdicts: this.verdicts };
    const peers = this.#cluster && peersOf(inputs, () => galley.snapshot());
    this.status = makeStatus({ ...parts, kubernetes: this.#cluster, peers, clock, log });
    this.loopDelay = new LoopDelay(watchEventLoop, metrics);
    const certificates = certificateSource(inputs, this.#cluster);
    this.webhook =
      certificates &&
      new Webhook({
        certificates,
        snapshot: () => this.galley.snapshot(),
        domain: config.domain,
        clock,
        log: log.child({ component: 'webhook' }),
        metrics,
      });
    const methods = adsMethods.map(
      ({ path, protocol }): RpcMethod => ({
        path,
        serve: (stream) => this.xds.serve(protocol, stream),
      }),
    );
    this.#discovery = new Discovery(inputs, { everywhere: methods, citadel: this.citadel, callers });
    const onError = (error: unknown, path: string): void =>
      log.error({ component: 'admin', path, error }, 'request failed');
    this.#http = new HttpServer(adminRoutes(this, metrics), onError);
    this.#monitoring = new HttpServer(monitoringRoutes(this, metrics), onError);
  }

  /** Takes the ports, or rejects with a message that says which one and what to do; then none is taken. */
  async bind(): Promise<Bound> {
    const { config } = this.#inputs;
    try {
      const admin = await bindTo('--admin', this.#http, config.admin);
      const monitoring = config.monitoring && (await bindTo('--monitoring', this.#monitoring, config.monitoring));
      const webhook = config.webhook && this.webhook && (await bindTo('--webhook', this.webhook, config.webhook));
      const mcp = config.mcp && this.distribution && (await bindTo('--mcp', this.distribution, config.mcp));
      return { admin, monitoring, webhook, mcp, ...(await this.#discovery.bind()) };
    } catch (error) {
      await runAll([this.#http, this.#monitoring, ...this.#galleyParts()], AbortSignal.abort());
      throw error;
    }
  }

  /** Serves what was bound until the signal aborts: health first, then sources, then whoever reads them. */
  async run(signal: AbortSignal): Promise<void> {
    const { config } = this.#inputs;
    const runsPilot = config.controllers.includes('pilot');
    const runsGalley = config.controllers.includes('galley');
    const parts: Runnable[] = [
      this.#http,
      this.#monitoring,
      this.loopDelay,
      this.galley,
      this.#served(),
      ...this.#discovery.parts,
    ];
    if (runsPilot) parts.push(this.#keys, this.pilot);
    if (config.configSources.length === 0) parts.push(new ConfigSourcesWatch(this.galley, this.#inputs.log));
    if (this.citadel !== undefined) parts.push(this.citadel);
    if (runsGalley || this.citadel?.issues === true) parts.push(...(this.#cluster?.parts ?? []));
    if (runsGalley) parts.push(this.status.controller, ...this.#galleyParts());
    await runAll(parts, signal);
  }

  /** Whether every controller that runs has what it needs to serve. */
  get isReady(): boolean {
    if (this.webhook?.isReady === false || !this.#discovery.isReady) return false;
    return this.#inputs.config.controllers.includes('pilot') ? this.pilot.isReady : this.galley.synced;
  }

  /** What has taken a port, and must give it back. */
  #galleyParts(): readonly Runnable[] {
    return [this.webhook, this.distribution].filter((part) => part !== undefined);
  }

  /** Streams are let go one after the other, and only then the connections below them. */
  #served(): Runnable {
    return {
      name: 'xds',
      run: async (signal) => {
        await this.xds.run(signal);
        await this.#discovery.stop(GRACE_MS);
      },
    };
  }
}

function makeGalley(inputs: AssembleInputs, cluster: Cluster | undefined): Galley {
  const { config, clock, log } = inputs;
  return new Galley({
    sources: inputs.sources ?? makeSources(inputs, cluster),
    meshConfigFile:
      config.meshConfig === undefined ? undefined : new MeshConfigFile({ path: config.meshConfig, clock }),
    rootNamespace: config.namespace,
    domain: config.domain,
    clock,
    log: log.child({ component: 'galley' }),
  });
}

function makePilot(
  { config, clock, log, metrics }: AssembleInputs,
  parts: Pick<PilotDeps, 'feed' | 'keys' | 'authenticator' | 'verdicts'>,
): Pilot {
  return new Pilot({
    ...parts,
    domain: config.domain,
    debounce: { quietMs: config.debounceAfterMs, maxMs: config.debounceMaxMs },
    clock,
    log: log.child({ component: 'pilot' }),
    metrics,
  });
}

/** The webhook's certificate, where there is a webhook. */
function certificateSource({ config }: AssembleInputs, cluster: Cluster | undefined): CertificateSource | undefined {
  const { webhook, webhookCertFile: certFile, webhookKeyFile: keyFile, namespace, service } = config;
  if (webhook === undefined || !config.controllers.includes('galley')) return undefined;
  if (certFile !== undefined && keyFile !== undefined) return { kind: 'files', certFile, keyFile };
  if (cluster === undefined) return undefined;
  const { api: kube, leadership, reflect } = cluster;
  return { kind: 'secret', kube, leadership, reflect, namespace, dnsNames: [`${service}.${namespace}.svc`] };
}

type Bindable = { bind(address: Address): Promise<Address> };

async function bindTo(flag: string, server: Bindable, address: Address): Promise<Address> {
  return await server.bind(address).catch((cause: unknown) => {
    throw new Error(`${flag}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  });
}
