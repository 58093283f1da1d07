import type { Logger } from '../telemetry/logger.ts';
import type { AckReport, NackReport, VerdictListener } from '../xds/ports.ts';

/** Tells people what proxies refuse: once per resource version, with the objects it came from. */
export class VerdictLog implements VerdictListener {
  readonly #log: Logger;
  readonly #told = new Map<string, NackReport>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** What is refused now, newest last. */
  refused(): readonly NackReport[] {
    return [...this.#told.values()];
  }

  onAck({ typeUrl, resources }: AckReport): void {
    if (this.#told.size === 0) return;
    for (const { name } of resources) {
      if (!this.#told.delete(`${typeUrl} ${name}`)) continue;
      this.#log.info({ type: typeUrl, resource: name }, 'resource accepted again');
    }
  }

  onNack(report: NackReport): void {
    const { proxy, typeUrl, resource, error, origins, scope } = report;
    const key = `${typeUrl} ${resource.name}`;
    if (this.#told.get(key)?.resource.version === resource.version) return;
    this.#told.set(key, report);
    const objects = origins.map(({ kind, namespace, name, path }) => `${kind} ${namespace}/${name} ${path}`);
    this.#log.warn(
      { proxy, type: typeUrl, resource: resource.name, error, objects, scope },
      'resource refused by a proxy',
    );
  }
}
