import { readFile } from 'node:fs/promises';
import type { Clock } from '../kit/clock.ts';
import type { Runnable } from '../kit/run-group.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { ServedPair, type UsePair } from './served-pair.ts';
import { ServingMetrics } from './serving-metrics.ts';

export type CertificateFilesDeps = {
  readonly certFile: string;
  readonly keyFile: string;
  readonly use: UsePair;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
};

/** Files of a mounted Secret change by a symbolic link far above them, which no watch of the file sees. */
const POLL_MS = 1_000;

/** A serving pair from two PEM files that somebody else renews. Half a change is waited out, and a bad pair never taken. */
export class CertificateFiles implements Runnable {
  readonly name = 'webhook certificate files';
  readonly #deps: CertificateFilesDeps;
  readonly #pair: ServedPair<{ readonly certificate: string; readonly key: string }>;

  constructor(deps: CertificateFilesDeps) {
    this.#deps = deps;
    this.#pair = new ServedPair(deps.use, deps.log, new ServingMetrics(deps.metrics));
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#load();
      await this.#deps.clock.sleep(POLL_MS, signal);
    }
  }

  async #load(): Promise<void> {
    const { certFile, keyFile } = this.#deps;
    try {
      const [certificate, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
      this.#pair.serve({ certificate, key });
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      this.#pair.fail('unreadable', reason, `let ${certFile} and ${keyFile} be files that can be read`);
    }
  }
}
