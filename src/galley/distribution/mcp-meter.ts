import type { Counter, Gauge, Histogram, Metrics } from '../../telemetry/metrics.ts';

/** The names of gRPC's codes by number. */
const CODES = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
] as const;

const MEBI = 1024 * 1024;
/** Four fifths of the sizes at which people set the limit of a message. */
const SIZES = [0.25, 0.5, 1, 2, 4, 8, 12, 16].map((mebi) => mebi * MEBI * 0.8);

/** Which end of a stream counts. */
type Component = 'galley' | 'pilot';

/** What either end of configuration's streams counts, under the names that dashboards for Istio know. */
export class McpMeter {
  readonly #component: Component;
  readonly #clients: Gauge;
  readonly #reconnections: Counter;
  readonly #sizes: Histogram;
  readonly #acks: Counter;
  readonly #nacks: Counter;
  readonly #sendFailures: Counter;
  readonly #recvFailures: Counter;

  constructor(metrics: Metrics, component: Component) {
    const counter = (name: string, help: string, labels: readonly string[]): Counter =>
      metrics.counter({ name, help, labels: ['component', ...labels] });
    this.#component = component;
    this.#clients = metrics.gauge({
      name: 'istio_mcp_clients_total',
      help: 'Streams of configuration that are open.',
      labels: ['component'],
    });
    this.#reconnections = counter('istio_mcp_reconnections', 'Streams opened after one that ended.', []);
    this.#sizes = metrics.histogram({
      name: 'istio_mcp_message_sizes_bytes',
      help: 'Sizes of responses.',
      labels: ['component', 'collection'],
      buckets: SIZES,
    });
    this.#acks = counter('istio_mcp_request_acks_total', 'Responses that were accepted.', ['collection']);
    this.#nacks = counter('istio_mcp_request_nacks_total', 'Responses that were refused.', ['collection', 'code']);
    this.#sendFailures = counter('istio_mcp_send_failures_total', 'Messages that could not be sent.', [
      'code',
      'error',
    ]);
    this.#recvFailures = counter('istio_mcp_recv_failures_total', 'Streams that ended with an error.', [
      'code',
      'error',
    ]);
  }

  clients(count: number): void {
    this.#clients.set(count, { component: this.#component });
  }

  reconnected(): void {
    this.#reconnections.add(1, { component: this.#component });
  }

  message(collection: string, bytes: number): void {
    this.#sizes.observe(bytes, { component: this.#component, collection });
  }

  acked(collection: string): void {
    this.#acks.add(1, { component: this.#component, collection });
  }

  nacked(collection: string, code: number): void {
    this.#nacks.add(1, { component: this.#component, collection, code: codeName(code) });
  }

  sendFailed(): void {
    this.#sendFailures.add(1, { component: this.#component, code: codeName(14), error: 'stream ended' });
  }

  recvFailed(code: number): void {
    this.#recvFailures.add(1, { component: this.#component, code: codeName(code), error: 'stream ended' });
  }
}

function codeName(code: number): string {
  return CODES[code] ?? 'Unknown';
}
