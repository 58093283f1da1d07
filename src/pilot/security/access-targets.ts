import { memoByIdentity } from '../../kit/memo.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { type ConfigObject, refOf } from '../../model/object.ts';
import { diagnoseAccess } from '../translate/access/codes.ts';
import { targetsOf } from './target-refs.ts';

type Policy = ConfigObject<'AuthorizationPolicy'>;

/** Policies tied to what is not served here: they protect nothing, which their owners must know. */
export const tellUnservedTargets = memoByIdentity((policies: readonly Policy[]): readonly Diagnostic[] =>
  policies.flatMap(tellOne),
);

const tellOne = memoByIdentity((policy: Policy): readonly Diagnostic[] =>
  targetsOf(policy.spec)
    .filter(({ ref }) => ref.kind === 'GatewayClass')
    .map(({ path }) => {
      const message =
        'gateway classes are of waypoints, which there are none of, so by this target the policy protects nothing; use selector, or name a Gateway or a Service';
      return diagnoseAccess('warning', 'XEB2806', { object: refOf(policy), path: `${path}.kind` }, message);
    }),
);
