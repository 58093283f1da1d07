import type { HttpRetry } from '../../../apis/networking/networking.ts';
import type { RouteRetryPolicy } from '../../../gen/types.ts';
import { memoByIdentity } from '../../../kit/memo.ts';
import { durationOf, extension, uint32 } from '../protobuf.ts';

const DEFAULT_CONDITIONS = 'connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes';
const BY_STATUS = 'retriable-status-codes';

/** What an absent policy means. */
const usual: HttpRetry = { attempts: 2 };

/**
 * Two more attempts unless the rule (else the mesh) says otherwise; none with `attempts: 0`. A retry goes to another endpoint,
 * except where a hash decides which: another one would not have the session.
 */
export function buildRetryPolicy(
  rule: HttpRetry | undefined,
  mesh: HttpRetry | undefined,
  hashes: boolean,
): RouteRetryPolicy | undefined {
  const { attempts = 0, retryOn, perTryTimeout, backoff, ...spec } = rule ?? mesh ?? usual;
  if (attempts <= 0) return undefined;
  return {
    ...conditions(retryOn),
    numRetries: uint32(attempts),
    perTryTimeout: durationOf(perTryTimeout),
    ...((spec.retryIgnorePreviousHosts ?? !hashes) ? otherHosts(manyTries) : {}),
    retryPriority: spec.retryRemoteLocalities === true ? otherPriorities() : undefined,
    retryBackOff: backoff === undefined ? undefined : { baseInterval: durationOf(backoff) },
  };
}

/** Numbers among the conditions are status codes, and these need a condition of their own. */
function conditions(retryOn = ''): Pick<RouteRetryPolicy, 'retryOn' | 'retriableStatusCodes'> {
  if (retryOn === '') return { retryOn: DEFAULT_CONDITIONS, retriableStatusCodes: [503] };
  const parts = retryOn.split(',').map((part) => part.trim());
  const codes = parts.filter((part) => /^\d{3}$/.test(part)).map(Number);
  const names = parts.filter((part) => part !== '' && !/^\d+$/.test(part));
  if (codes.length > 0 && !names.includes(BY_STATUS)) names.push(BY_STATUS);
  return { retryOn: names.join(','), ...(codes.length > 0 ? { retriableStatusCodes: codes } : {}) };
}

const manyTries = { hostSelectionRetryMaxAttempts: 5 };

/** Almost each route has it, so there is one for all; it is encoded when the first one asks. */
const otherHosts = memoByIdentity(
  (tries: typeof manyTries): Pick<RouteRetryPolicy, 'retryHostPredicate' | 'hostSelectionRetryMaxAttempts'> => {
    const type = 'envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate';
    return { retryHostPredicate: [extension('envoy.retry_host_predicates.previous_hosts', type, {})], ...tries };
  },
);

function otherPriorities(): NonNullable<RouteRetryPolicy['retryPriority']> {
  const type = 'envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig';
  return extension('envoy.retry_priorities.previous_priorities', type, { updateFrequency: 2 });
}
