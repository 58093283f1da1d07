import { memoByIdentity } from '../../kit/memo.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { Service } from '../../model/service.ts';
import { diagnoseAccess } from '../translate/access/codes.ts';
import type { AccessPlan } from '../translate/access/plan.ts';

/** External authorizers that a proxy is to ask and has no cluster for, because it does not see their service. */
export const tellHiddenAuthorizers = memoByIdentity((access: AccessPlan) =>
  memoByIdentity((seen: readonly Service[]): readonly Diagnostic[] =>
    access.policies.flatMap(({ object, authorizer }) => {
      if (authorizer?.place.kind !== 'somewhere') return [];
      const { hostname } = authorizer.place;
      if (seen.some((service) => service.hostname === hostname)) return [];
      const message = `provider ${authorizer.provider} cannot be asked: workloads that the policy is for do not see ${hostname}, so it is as if nobody answered; add it to the egress of their Sidecar, or to its exportTo`;
      return [diagnoseAccess('warning', 'XEB2803', { object, path: 'spec.provider.name' }, message)];
    }),
  ),
);
