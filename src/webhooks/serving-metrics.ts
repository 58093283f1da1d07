import type { Counter, Metrics } from '../telemetry/metrics.ts';

/** Why a pair did not come to be served. */
export type PairTrouble = 'unreadable' | 'unusable' | 'unstored';

/** What Galley counts of the webhook's certificate and of its configuration, by Istio's names. */
export class ServingMetrics {
  readonly #updates: Counter;
  readonly #errors: Counter;
  readonly #configLoads: Counter;
  readonly #configUpdates: Counter;
  readonly #configErrors: Counter;

  constructor(metrics: Metrics) {
    this.#updates = metrics.counter({
      name: 'galley_validation_cert_key_updates',
      help: 'Times that the webhook took another certificate and key.',
    });
    this.#errors = metrics.counter({
      name: 'galley_validation_cert_key_update_errors',
      help: 'Times that a certificate and key could not be taken, by error.',
      labels: ['error'],
    });
    this.#configLoads = metrics.counter({
      name: 'galley_validation_config_load',
      help: 'Times that the authorities which webhook configurations carry changed.',
    });
    this.#configUpdates = metrics.counter({
      name: 'galley_validation_config_updates',
      help: 'Webhook configurations that were given their authorities.',
    });
    this.#configErrors = metrics.counter({
      name: 'galley_validation_config_update_error',
      help: 'Webhook configurations that could not be given their authorities, by reason.',
      labels: ['reason'],
    });
  }

  pairServed(): void {
    this.#updates.add();
  }

  pairFailed(error: PairTrouble): void {
    this.#errors.add(1, { error });
  }

  bundleLoaded(): void {
    this.#configLoads.add();
  }

  configUpdated(): void {
    this.#configUpdates.add();
  }

  configFailed(reason: string): void {
    this.#configErrors.add(1, { reason });
  }
}
