import type { Counter, Metrics } from '../../telemetry/metrics.ts';

/** What went wrong after a caller was known: Citadel's words. */
export type SignError = 'CSR_ERROR' | 'TTL_ERROR' | 'CA_NOT_READY' | 'CERT_GEN_ERROR';

export type CsrMetrics = {
  readonly requests: Counter;
  readonly authenticationFailures: Counter;
  readonly parsingErrors: Counter;
  /** Callers that may not have the identity that they ask for. */
  readonly identityErrors: Counter;
  readonly signErrors: Counter;
  readonly issued: Counter;
  readonly limited: Counter;
};

export function makeCsrMetrics(metrics: Metrics): CsrMetrics {
  const counter = (name: string, help: string, labels: readonly string[] = []): Counter =>
    metrics.counter({ name, help, labels });
  return {
    requests: counter('citadel_server_csr_count', 'Certificate requests.'),
    authenticationFailures: counter(
      'citadel_server_authentication_failure_count',
      'Certificate requests of callers that could not be authenticated.',
    ),
    parsingErrors: counter('citadel_server_csr_parsing_err_count', 'Certificate requests that could not be read.'),
    identityErrors: counter(
      'citadel_server_id_extraction_err_count',
      'Certificate requests for identities that the caller may not have.',
    ),
    signErrors: counter('citadel_server_csr_sign_err_count', 'Certificates that were not issued, by reason.', [
      'error',
    ]),
    issued: counter('citadel_server_success_cert_issuance_count', 'Certificates that were issued on request.'),
    limited: counter('xebec_citadel_csr_limited_total', 'Certificate requests that were told to come again later.'),
  };
}
