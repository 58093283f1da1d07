import type { Counter, Gauge, Histogram, Metrics } from '../telemetry/metrics.ts';
import { typeLabel } from './type-urls.ts';

const SECONDS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.5, 1, 3, 5, 10, 20, 30];
const BYTES = [1e3, 1e4, 1e5, 1e6, 4e6, 1e7, 4e7];

const REJECTS_BY_TYPE = ['cds', 'eds', 'lds', 'rds'] as const;

/** What the server counts, under the names that dashboards for Istio know, where Istio has one. */
export class XdsMeter {
  readonly connected: Gauge;
  readonly internalErrors: Counter;
  readonly writeTimeouts: Counter;
  readonly expiredNonces: Counter;
  readonly queueSeconds: Histogram;
  readonly sendSeconds: Histogram;
  /** Until the last response of a change was handed to the socket. */
  readonly convergenceSeconds: Histogram;
  /** Until the client confirmed the last response of a change. */
  readonly ackSeconds: Histogram;
  readonly #pushes: Counter;
  readonly #bytes: Counter;
  readonly #sizes: Histogram;
  readonly #rejects: Counter;
  readonly #rejectsByType: ReadonlyMap<string, Counter>;
  readonly #overdue: Counter;
  readonly #largestRequest: Gauge;
  #largest = 0;

  constructor(metrics: Metrics) {
    const seconds = (name: string, help: string): Histogram => metrics.histogram({ name, help, buckets: SECONDS });
    const counter = (name: string, help: string, labels: readonly string[] = []): Counter =>
      metrics.counter({ name, help, labels });
    this.connected = metrics.gauge({ name: 'pilot_xds', help: 'Streams that are connected.' });
    this.internalErrors = counter('pilot_total_xds_internal_errors', 'Streams closed for a fault of ours.');
    this.writeTimeouts = counter('pilot_xds_write_timeout', 'Streams closed because the client did not read.');
    this.expiredNonces = counter('pilot_xds_expired_nonce', 'Requests that answer a response which is not the last.', [
      'type',
    ]);
    this.queueSeconds = seconds(
      'pilot_proxy_queue_time',
      'From a change until its first response is made for a proxy.',
    );
    this.sendSeconds = seconds('pilot_xds_send_time', 'From a response until it is handed to the socket.');
    this.convergenceSeconds = seconds(
      'pilot_proxy_convergence_time',
      'From a change until a proxy was sent all of it.',
    );
    this.ackSeconds = seconds('xebec_xds_ack_seconds', 'From a change until a proxy confirmed all of it.');
    this.#pushes = counter('pilot_xds_pushes', 'Responses sent.', ['type']);
    this.#bytes = counter('xebec_xds_sent_bytes_total', 'Bytes of responses sent.', ['type']);
    this.#sizes = metrics.histogram({
      name: 'pilot_xds_config_size_bytes',
      help: 'Size of a response.',
      labels: ['type'],
      buckets: BYTES,
    });
    this.#rejects = counter('pilot_total_xds_rejects', 'Responses that a proxy rejected.', ['type']);
    this.#rejectsByType = new Map(
      REJECTS_BY_TYPE.map((type) => [type, counter(`pilot_xds_${type}_reject`, 'Responses that a proxy rejected.')]),
    );
    this.#overdue = counter('xebec_xds_overdue_total', 'Phases that went on without an answer.', ['type']);
    this.#largestRequest = metrics.gauge({ name: 'pilot_xds_recv_max', help: 'Size of the largest request.' });
  }

  pushed(typeUrl: string, bytes: number): void {
    const labels = { type: typeLabel(typeUrl) };
    this.#pushes.add(1, labels);
    this.#bytes.add(bytes, labels);
    this.#sizes.observe(bytes, labels);
  }

  rejected(typeUrl: string): void {
    const type = typeLabel(typeUrl);
    this.#rejects.add(1, { type });
    this.#rejectsByType.get(type)?.add();
  }

  expiredNonce(typeUrl: string): void {
    this.expiredNonces.add(1, { type: typeLabel(typeUrl) });
  }

  overdue(typeUrl: string): void {
    this.#overdue.add(1, { type: typeLabel(typeUrl) });
  }

  received(bytes: number): void {
    if (bytes <= this.#largest) return;
    this.#largest = bytes;
    this.#largestRequest.set(bytes);
  }
}
