/**
 * Galley's validating webhook: what is wrong with an object, said before it is stored. It judges as admission from any source does,
 * so what passes here is in force later. It changes nothing, and refuses only kinds that it knows.
 */
import type { AdmissionReply, AdmissionRequest } from '../../http/admission-review.ts';
import { admissionRoute } from '../../http/admission-route.ts';
import { textReply } from '../../http/http-server.ts';
import type { HttpsRoute } from '../../http/https-server.ts';
import type { ConfigSnapshot } from '../../model/config-snapshot.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { CandidateAnalysis } from '../analyzers/analyze-candidate.ts';
import { AdmissionMetrics } from './admission-metrics.ts';
import { judge } from './judge.ts';

export type AdmissionWebhookDeps = {
  /** What objects are compared with; nothing before all is known. */
  readonly snapshot: () => ConfigSnapshot | undefined;
  /** Of the Kubernetes cluster's names: `cluster.local`. */
  readonly domain: string;
  readonly log: Logger;
  readonly metrics: Metrics;
};

/** Istio's path of today, with whatever stands below it, and those of 1.4. */
const paths: readonly RegExp[] = [/^\/validate(?:\/|$)/, /^\/admitpilot$/, /^\/admitmixer$/];

export class AdmissionWebhook {
  readonly #deps: AdmissionWebhookDeps;
  readonly #metrics: AdmissionMetrics;
  readonly #analysis: CandidateAnalysis;
  readonly #validate: HttpsRoute;
  readonly #ready: HttpsRoute = { method: 'GET', answer: () => textReply(200, 'ready') };

  constructor(deps: AdmissionWebhookDeps) {
    this.#deps = deps;
    this.#metrics = new AdmissionMetrics(deps.metrics);
    this.#analysis = new CandidateAnalysis(deps.domain);
    this.#validate = admissionRoute((request) => this.#answer(request));
  }

  /** The routes of an HTTPS server that are this webhook's. */
  route(path: string): HttpsRoute | undefined {
    if (path === '/ready') return this.#ready;
    return paths.some((known) => known.test(path)) ? this.#validate : undefined;
  }

  /** To be told of every answer of that server. */
  onReply(path: string, status: number): void {
    if (status >= 400 && paths.some((known) => known.test(path))) this.#metrics.httpError(status);
  }

  #answer(request: AdmissionRequest): AdmissionReply {
    const verdict = judge(request, (object) => {
      const snapshot = this.#deps.snapshot();
      return snapshot === undefined ? [] : this.#analysis.analyze(snapshot, object);
    });
    this.#metrics.judged(request, verdict);
    if (!verdict.allowed) this.#logRefusal(request, verdict.failure);
    return verdict;
  }

  /** Whoever was refused has been told why; here it is for whoever wonders what became of an object. */
  #logRefusal({ kind, namespace, name, operation, dryRun }: AdmissionRequest, reason: string | undefined): void {
    const object = { kind: kind.kind, namespace, name };
    this.#deps.log.debug({ ...object, operation, dryRun, reason }, 'object refused');
  }
}
