import type { MeshConfig } from '../../../apis/mesh/mesh-config.ts';
import type { HttpRetry } from '../../../apis/networking/networking.ts';
import { memoByIdentity } from '../../../kit/memo.ts';

/** What routes read of the mesh configuration. */
export type RouteDefaults = {
  /** For rules that say nothing of retries. */
  readonly retries: HttpRetry | undefined;
  /** Whether servers are told how often a request was tried. */
  readonly countsAttempts: boolean;
  /** Whether servers are told the host that a rewrite replaced. */
  readonly forwardsHost: boolean;
};

export const routeDefaults = memoByIdentity(
  ({ defaultHttpRetryPolicy, defaultConfig: { proxyHeaders } }: MeshConfig): RouteDefaults => ({
    retries: defaultHttpRetryPolicy,
    countsAttempts: proxyHeaders?.attemptCount?.disabled !== true,
    forwardsHost: proxyHeaders?.xForwardedHost?.enabled === true,
  }),
);
