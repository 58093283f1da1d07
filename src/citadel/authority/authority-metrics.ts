import type { Gauge, Metrics } from '../../telemetry/metrics.ts';
import { chainEnd, type Material } from './material.ts';
import { endOf } from './pem.ts';

const SECOND_MS = 1_000;

/** What is to be known of the authority before it ends, by Istio's names. */
export class AuthorityMetrics {
  readonly #rootEnd: Gauge;
  readonly #rootLeft: Gauge;
  readonly #chainEnd: Gauge;
  readonly #chainLeft: Gauge;
  readonly #degraded: Gauge;

  constructor(metrics: Metrics) {
    const gauge = (name: string, help: string): Gauge => metrics.gauge({ name: `citadel_server_${name}`, help });
    this.#rootEnd = gauge(
      'root_cert_expiry_timestamp',
      'When the root ends that what signs hangs on, in Unix seconds; -1 without one.',
    );
    this.#rootLeft = gauge('root_cert_expiry_seconds', 'How long that root still lives; -1 without one.');
    this.#chainEnd = gauge(
      'cert_chain_expiry_timestamp',
      'When the first certificate of the signing chain ends, in Unix seconds; -1 without one.',
    );
    this.#chainLeft = gauge('cert_chain_expiry_seconds', 'How long that certificate still lives; -1 without one.');
    this.#degraded = gauge('ca_degraded', '1 while the authority is not what its store says, or there is none.');
  }

  show(material: Material | undefined, now: number): void {
    const root = material?.chain.at(-1);
    this.#set([this.#rootEnd, this.#rootLeft], root && endOf(root), now);
    this.#set([this.#chainEnd, this.#chainLeft], material && chainEnd(material.chain), now);
  }

  showDegraded(isDegraded: boolean): void {
    this.#degraded.set(isDegraded ? 1 : 0);
  }

  #set([at, left]: readonly [Gauge, Gauge], end: number | undefined, now: number): void {
    at.set(end === undefined ? -1 : end / SECOND_MS);
    left.set(end === undefined ? -1 : (end - now) / SECOND_MS);
  }
}
