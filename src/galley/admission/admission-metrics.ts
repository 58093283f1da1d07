import type { AdmissionRequest } from '../../http/admission-review.ts';
import type { Counter, Labels, Metrics } from '../../telemetry/metrics.ts';
import type { Verdict } from './judge.ts';

/** Galley's counters, by Istio's names. */
export class AdmissionMetrics {
  readonly #passed: Counter;
  readonly #failed: Counter;
  readonly #httpErrors: Counter;

  constructor(metrics: Metrics) {
    const labels = ['group', 'version', 'resource'];
    this.#passed = metrics.counter({
      name: 'galley_validation_passed',
      help: 'Objects that were validated and found good.',
      labels,
    });
    this.#failed = metrics.counter({
      name: 'galley_validation_failed',
      help: 'Objects that were validated and found bad, and requests that could not be judged, by reason.',
      labels: [...labels, 'reason'],
    });
    this.#httpErrors = metrics.counter({
      name: 'galley_validation_http_error',
      help: 'Requests to the webhook that were no admission reviews, by HTTP status.',
      labels: ['status'],
    });
  }

  judged(request: AdmissionRequest, verdict: Verdict): void {
    const labels = labelsOf(request, verdict);
    if (verdict.failure === undefined) this.#passed.add(1, labels);
    else this.#failed.add(1, { ...labels, reason: verdict.failure });
  }

  httpError(status: number): void {
    this.#httpErrors.add(1, { status: String(status) });
  }
}

/** Of kinds that are known: whoever calls could fill memory with labels that nobody ever asks for. */
function labelsOf({ kind }: AdmissionRequest, { collection }: Verdict): Labels {
  if (collection === undefined) return { group: '', version: '', resource: '' };
  const version = collection.versions.includes(kind.version) ? kind.version : '';
  return { group: collection.group, version, resource: collection.plural };
}
