import { renderRef } from '../model/object.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { AckReport, NackReport, VerdictListener } from '../xds/ports.ts';
import type { EncodedResource, Origin } from '../xds/resource.ts';

export type VerdictLogDeps = {
  readonly log: Logger;
  /** Whether some proxy is still to have this version of a resource, were it not refused. */
  readonly isOffered: (resource: EncodedResource) => boolean;
};

/** Such as `VirtualService shop/reviews spec.http[0]`. */
export function renderOrigin(origin: Origin): string {
  return `${renderRef(origin)} ${origin.path}`.trim();
}

/** Refused versions that are remembered; the oldest go first. */
const REMEMBERED = 10_000;

/** Tells people what proxies refuse: once per resource version, with the objects it came from. */
export class VerdictLog implements VerdictListener {
  readonly #deps: VerdictLogDeps;
  readonly #refused = new Map<string, NackReport>();
  /** The keys of the map above by type and name: views may have resources of one name. */
  readonly #keys = new Map<string, Set<string>>();
  #verdicts = 0;

  constructor(deps: VerdictLogDeps) {
    this.#deps = deps;
  }

  /** Changes with every answer of a proxy. */
  get verdicts(): number {
    return this.#verdicts;
  }

  /** The first report of a version that was refused. */
  find(resource: EncodedResource): NackReport | undefined {
    return this.#refused.get(versionKey(resource));
  }

  /** What is refused now, oldest first. */
  refused(): readonly NackReport[] {
    for (const [key, { resource }] of this.#refused) if (!this.#deps.isOffered(resource)) this.#forget(key);
    return [...this.#refused.values()];
  }

  onAck(ack: AckReport): void {
    this.#verdicts += 1;
    if (this.#refused.size === 0) return;
    for (const resource of ack.resources) {
      for (const key of this.#keys.get(nameKey(resource)) ?? []) {
        const report = this.#refused.get(key);
        if (report === undefined || !this.#isSettled(report, resource, ack.proxy)) continue;
        this.#forget(key);
        this.#deps.log.info({ type: resource.typeUrl, resource: resource.name }, 'resource accepted again');
      }
    }
  }

  onNack(report: NackReport): void {
    this.#verdicts += 1;
    const { proxy, typeUrl, resource, error, origins, scope } = report;
    const key = versionKey(resource);
    if (this.#refused.has(key)) return;
    this.#refused.set(key, report);
    this.#keys.set(nameKey(resource), new Set([...(this.#keys.get(nameKey(resource)) ?? []), key]));
    const [oldest] = this.#refused.keys();
    if (this.#refused.size > REMEMBERED && oldest !== undefined) this.#forget(oldest);
    const { name, version } = resource;
    const fields = { proxy, type: typeUrl, resource: name, version, error, objects: origins.map(renderOrigin), scope };
    this.#deps.log.warn(fields, 'resource refused by a proxy');
  }

  /** An accepted version says nothing of another one, which may be the last good one, sent in its place. */
  #isSettled({ resource, scope, proxy }: NackReport, accepted: EncodedResource, by: string): boolean {
    if (accepted.version === resource.version) return scope === 'everybody' || proxy === by;
    return !this.#deps.isOffered(resource);
  }

  #forget(key: string): void {
    const report = this.#refused.get(key);
    if (report === undefined) return;
    this.#refused.delete(key);
    const keys = this.#keys.get(nameKey(report.resource));
    keys?.delete(key);
    if (keys?.size === 0) this.#keys.delete(nameKey(report.resource));
  }
}

function nameKey({ typeUrl, name }: EncodedResource): string {
  return `${typeUrl} ${name}`;
}

function versionKey(resource: EncodedResource): string {
  return `${nameKey(resource)} ${resource.version}`;
}
