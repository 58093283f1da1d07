/**
 * Pilot: makes the mesh snapshot of each config snapshot, and gives every proxy its view of it. Promises that nothing is served
 * before the first snapshot, that a storm of changes is one push, and that a quiet mesh's first change goes at once. Must never
 * know where configuration comes from, nor how it reaches proxies.
 */
import { ChangeSignal } from '../kit/change-signal.ts';
import type { Clock } from '../kit/clock.ts';
import { type DebounceTimes, debounced } from '../kit/debounce.ts';
import type { Runnable } from '../kit/run-group.ts';
import type { ConfigSnapshot } from '../model/config-snapshot.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { KeyBook } from '../model/mesh-security.ts';
import type { MeshSnapshot } from '../model/mesh-snapshot.ts';
import type { Proxy } from '../model/proxy.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Gauge, Histogram, Metrics } from '../telemetry/metrics.ts';
import type { NodeInfo } from '../xds/node.ts';
import type { Opened, Peer, SnapshotHandle, SnapshotSource, StreamInfo, XdsSnapshot } from '../xds/ports.ts';
import type { EncodedResource } from '../xds/resource.ts';
import type { Status } from '../xds/status.ts';
import type { Verdicts } from '../xds/verdicts.ts';
import { ProxyAdmission, type ProxyAuthenticator } from './proxy/admission.ts';
import { presentProxy } from './proxy/authorize.ts';
import { typicalProxy } from './proxy/typical.ts';
import { MeshSnapshotBuilder } from './snapshot/snapshot-builder.ts';
import { checkAccessLogFormat } from './translate/filters/access-log.ts';
import { emptyRouteConfiguration } from './view/missing.ts';
import { type Answer, Views } from './view/views.ts';

/** Who publishes configuration. */
export interface ConfigFeed {
  snapshot(): ConfigSnapshot | undefined;
  /** Calls back with each new snapshot; returns how to stop. */
  onChange(listener: () => void): () => void;
}

/** Who fetches what verifies tokens. */
export interface TokenKeys {
  book(): KeyBook;
  /** Calls back when the book changed; returns how to stop. */
  onChange(listener: () => void): () => void;
  /** What of a configuration counts: objects wait for the keys they need, not for long. */
  prepare(config: ConfigSnapshot): ConfigSnapshot;
  /** Waits until nothing of a configuration waits. */
  settle(config: ConfigSnapshot, signal: AbortSignal): Promise<void>;
}

export type PilotDeps = {
  readonly feed: ConfigFeed;
  /** Without it no keys are known but those that stand in objects. */
  readonly keys?: TokenKeys | undefined;
  /** Without it, nobody is asked who he is. */
  readonly authenticator?: ProxyAuthenticator | undefined;
  readonly verdicts: Verdicts;
  /** The DNS suffix of the Kubernetes cluster: `cluster.local`. */
  readonly domain: string;
  readonly debounce: DebounceTimes;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
};

/** What one proxy was last given, and what it was made of. */
export type ProxyView = Answer & { readonly proxy: Proxy };

/** Of the one cluster whose proxies this pilot serves. */
const CLUSTER_ID = 'Kubernetes';

export class Pilot implements Runnable, SnapshotSource {
  readonly name = 'pilot';
  readonly #deps: PilotDeps;
  readonly #builder: MeshSnapshotBuilder;
  readonly #views: Views;
  readonly #handles = new Set<ProxyHandle>();
  readonly #admission: ProxyAdmission;
  readonly #meter: PilotMeter;
  #mesh: MeshSnapshot | undefined;
  #builtFrom: ConfigSnapshot | undefined;
  #diagnostics: readonly Diagnostic[] = [];

  constructor(deps: PilotDeps) {
    this.#deps = deps;
    this.#builder = new MeshSnapshotBuilder({ domainSuffix: deps.domain, clusterId: CLUSTER_ID });
    this.#admission = new ProxyAdmission({ ...deps, clusterId: CLUSTER_ID });
    this.#views = new Views(deps.verdicts);
    this.#meter = makeMeter(deps.metrics);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { feed, keys, debounce, clock } = this.#deps;
    const changes = new ChangeSignal();
    const stops = [feed, keys].map((source) => source?.onChange(() => changes.raise()));
    if (feed.snapshot() !== undefined) changes.raise();
    for await (const _ of debounced(changes, debounce, clock, signal)) {
      await this.#settleKeys(signal);
      this.#rebuild();
    }
    for (const stop of stops) stop?.();
  }

  /** Proxies that come back after a restart must not find issuers without keys, nor ports without their policies. */
  async #settleKeys(signal: AbortSignal): Promise<void> {
    const { feed, keys } = this.#deps;
    const config = feed.snapshot();
    if (this.#mesh === undefined && config !== undefined) await keys?.settle(config, signal);
  }

  /** Whether there is anything to serve. */
  get isReady(): boolean {
    return this.#mesh !== undefined;
  }

  /** The newest mesh; nothing before the first. */
  mesh(): MeshSnapshot | undefined {
    return this.#mesh;
  }

  /** The configuration that the newest mesh was made of. */
  builtFrom(): ConfigSnapshot | undefined {
    return this.#builtFrom;
  }

  /** The proxies that are connected. */
  proxies(): readonly Proxy[] {
    return [...this.#handles].map(({ proxy }) => proxy);
  }

  /** What the registry and translation have to tell the owners of objects, as far as views were asked for. */
  diagnostics(): readonly Diagnostic[] {
    const settings = this.#mesh === undefined ? [] : settingsDiagnostics(this.#mesh);
    const translation = this.#views.diagnostics(this.proxies(), this.#deps.clock.now());
    return [...settings, ...this.#diagnostics, ...translation];
  }

  greet(peer: Peer): Promise<Status | undefined> {
    return this.#admission.greet(peer);
  }

  async open(node: NodeInfo, stream: StreamInfo): Promise<Opened> {
    const proxy = await this.#admission.admit(node, stream, () => this.#mesh);
    if (!proxy.ok) return { kind: 'refused', status: proxy.error };
    const handle = new ProxyHandle(proxy.value, stream, {
      snapshotFor: (of) => this.snapshotFor(of),
      close: (of) => this.#handles.delete(of),
    });
    this.#handles.add(handle);
    return { kind: 'handle', handle };
  }

  /** What a proxy gets now, connected or not. */
  snapshotFor(proxy: Proxy): XdsSnapshot {
    if (this.#mesh === undefined) return new Map();
    const snapshot = this.#views.snapshotFor(this.#mesh, proxy);
    if (this.#views.isCrowded) this.#views.retain(this.#mesh, this.proxies(), this.#deps.clock.monotonic());
    return snapshot;
  }

  /** Whether some connected proxy is to have this version of a resource. Builds nothing. */
  offers({ typeUrl, name, version }: EncodedResource): boolean {
    const sets = new Set(this.proxies().map((proxy) => this.#views.lastAnswer(proxy)?.snapshot.get(typeUrl)));
    return [...sets].some((set) => set?.resources.get(name)?.version === version);
  }

  /** The proxy of a stream and what it was last given. Builds nothing. */
  viewOf(handle: SnapshotHandle): ProxyView | undefined {
    if (!(handle instanceof ProxyHandle)) return undefined;
    const answer = this.#views.lastAnswer(handle.proxy);
    return answer === undefined ? undefined : { proxy: handle.proxy, ...answer };
  }

  #rebuild(): void {
    const { clock, log, feed, keys } = this.#deps;
    const config = feed.snapshot();
    if (config === undefined) return;
    const started = clock.monotonic();
    const { snapshot, diagnostics } = this.#builder.build(keys?.prepare(config) ?? config, keys?.book());
    this.#diagnostics = diagnostics;
    this.#builtFrom = config;
    const isFirst = this.#mesh === undefined;
    if (snapshot === this.#mesh) return;
    if (isFirst) this.#rehearse(snapshot);
    this.#mesh = snapshot;
    for (const handle of this.#handles) handle.proxy = presentProxy(handle.proxy, snapshot);
    this.#views.retain(snapshot, this.proxies(), started);
    for (const handle of this.#handles) handle.changed();
    this.#meter.build.observe((clock.monotonic() - started) / 1000);
    this.#meter.services.set(snapshot.services.length);
    this.#meter.virtualServices.set(snapshot.virtualServices.length);
    const counts = { services: snapshot.services.length, proxies: this.#handles.size };
    if (isFirst) log.info(counts, 'first mesh snapshot built');
    else log.debug(counts, 'mesh snapshot built');
  }

  /** Builds what most proxies get while nobody waits: the first one would, and everybody behind it. */
  #rehearse(mesh: MeshSnapshot): void {
    const { domain, log } = this.#deps;
    try {
      const proxy = typicalProxy(mesh, domain);
      if (proxy !== undefined) this.#views.snapshotFor(mesh, proxy);
    } catch (error) {
      // Whoever asks for it will fail; all others are served.
      log.error({ error }, 'cannot build what a typical proxy gets');
    }
  }
}

/** What of the mesh configuration is of no use to listeners. */
function settingsDiagnostics({ config: { mesh } }: MeshSnapshot): readonly Diagnostic[] {
  const object = { kind: 'MeshConfig', namespace: mesh.rootNamespace, name: 'istio' };
  return checkAccessLogFormat(mesh).map((issue) => ({ ...issue, object, at: undefined }));
}

type HandleOwner = {
  readonly snapshotFor: (proxy: Proxy) => XdsSnapshot;
  readonly close: (handle: ProxyHandle) => void;
};

class ProxyHandle implements SnapshotHandle {
  proxy: Proxy;
  readonly #stream: StreamInfo;
  readonly #owner: HandleOwner;

  constructor(proxy: Proxy, stream: StreamInfo, owner: HandleOwner) {
    this.proxy = proxy;
    this.#stream = stream;
    this.#owner = owner;
  }

  changed(): void {
    this.#stream.changed();
  }

  current(): XdsSnapshot {
    return this.#owner.snapshotFor(this.proxy);
  }

  missing = emptyRouteConfiguration;

  close(): void {
    this.#owner.close(this);
  }
}

type PilotMeter = { readonly build: Histogram; readonly services: Gauge; readonly virtualServices: Gauge };

function makeMeter(metrics: Metrics): PilotMeter {
  return {
    build: metrics.histogram({
      name: 'pilot_pushcontext_init_seconds',
      help: 'Time to make a mesh snapshot of a config snapshot.',
      buckets: [0.001, 0.01, 0.1, 0.5, 1, 3, 5],
    }),
    services: metrics.gauge({ name: 'pilot_services', help: 'Services of the mesh.' }),
    virtualServices: metrics.gauge({ name: 'pilot_virt_services', help: 'VirtualServices of the mesh.' }),
  };
}
