import type { HttpFilter } from '../../../gen/types.ts';
import { noSecurityPart, type SecurityPart, type SecuritySite } from '../security.ts';
import type { RequestPlan } from './plan.ts';

export function buildTokenFilters(_plan: RequestPlan, _site: SecuritySite): SecurityPart<HttpFilter> {
  return noSecurityPart;
}
