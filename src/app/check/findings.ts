import type { KubeError } from '../../kube/api.ts';
import type { Finding } from './check.ts';

export function ok(message: string): Finding {
  return { state: 'ok', message, remedy: undefined };
}

export function warning(message: string, remedy: string): Finding {
  return { state: 'warning', message, remedy };
}

export function failed(message: string, remedy: string): Finding {
  return { state: 'failed', message, remedy };
}

/** What could not be looked at is neither good nor bad. */
export function skipped(message: string, remedy: string): Finding {
  return { state: 'skipped', message, remedy };
}

/** What the API server said instead of an answer. Who may not look has found nothing out. */
export function unanswered(what: string, error: KubeError): Finding {
  return error.reason === 'forbidden'
    ? skipped(`${what}: you may not look`, `allow it to whoever runs this: ${error.message}`)
    : failed(`${what}: ${error.message}`, 'try again; if it stays so, look at the log of the API server');
}
