import type { Counter, Gauge, Metrics } from '../../telemetry/metrics.ts';

/** Why a certificate could not be signed. */
export type SigningTrouble = 'TTL_ERROR' | 'CERT_GEN_ERROR';

const PREFIX = 'citadel_secret_controller';

/** What becomes of identities, with the names that Citadel's metrics have. */
export class SecretMetrics {
  readonly #created: Counter;
  readonly #removed: Counter;
  readonly #restored: Counter;
  readonly #requestErrors: Counter;
  readonly #signingErrors: Counter;
  readonly #renewed: Counter;
  readonly #waiting: Gauge;
  readonly #failing: Gauge;

  constructor(metrics: Metrics) {
    this.#created = metrics.counter({
      name: `${PREFIX}_svc_acc_created_cert_count`,
      help: 'Certificates created because a service account appeared.',
    });
    this.#removed = metrics.counter({
      name: `${PREFIX}_svc_acc_deleted_cert_count`,
      help: 'Certificates deleted because their service account went.',
    });
    this.#restored = metrics.counter({
      name: `${PREFIX}_secret_deleted_cert_count`,
      help: 'Certificates created again because their Secret was deleted.',
    });
    this.#requestErrors = metrics.counter({
      name: `${PREFIX}_csr_err_count`,
      help: 'Service accounts that no certificate can be asked for.',
    });
    this.#signingErrors = metrics.counter({
      name: `${PREFIX}_csr_sign_err_count`,
      help: 'Certificates that could not be signed, by error.',
      labels: ['error'],
    });
    this.#renewed = metrics.counter({
      name: 'xebec_citadel_secrets_written_total',
      help: 'Secrets that were there and were written anew, by reason.',
      labels: ['reason'],
    });
    this.#waiting = metrics.gauge({
      name: 'xebec_citadel_secrets_waiting',
      help: 'Service accounts whose Secret is to be looked at.',
    });
    this.#failing = metrics.gauge({
      name: 'xebec_citadel_secrets_failing',
      help: 'Service accounts whose Secret is not as it should be, and is tried again.',
    });
  }

  created(): void {
    this.#created.add();
  }

  removed(): void {
    this.#removed.add();
  }

  restored(): void {
    this.#restored.add();
  }

  rewritten(reason: 'due' | 'wrong' | 'refreshed'): void {
    this.#renewed.add(1, { reason });
  }

  cannotRequest(): void {
    this.#requestErrors.add();
  }

  cannotSign(error: SigningTrouble): void {
    this.#signingErrors.add(1, { error });
  }

  backlog(waiting: number, failing: number): void {
    this.#waiting.set(waiting);
    this.#failing.set(failing);
  }
}
