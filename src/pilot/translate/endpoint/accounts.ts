import { memoByIdentity } from '../../../kit/memo.ts';
import type { Endpoint } from '../../../model/service.ts';

/**
 * Whose the endpoints are: `ns/shop/sa/reviews`, a line each, sorted. A text, so that clusters stay as they are while pods come and go
 * under one account.
 */
export const accountsOf = memoByIdentity((endpoints: readonly Endpoint[]): string => {
  const accounts = endpoints.flatMap(({ namespace, serviceAccount }) =>
    serviceAccount === '' ? [] : [`ns/${namespace}/sa/${serviceAccount}`],
  );
  return [...new Set(accounts)].sort().join('\n');
});

/** Whether a client that cannot tell endpoints apart may use mutual TLS with all of them. */
export const allTakeMutualTls = memoByIdentity(
  (endpoints: readonly Endpoint[]): boolean =>
    endpoints.length > 0 && endpoints.every(({ tlsMode }) => tlsMode === 'istio'),
);
