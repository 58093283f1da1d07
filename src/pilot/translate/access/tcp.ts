import type { ConfigListenerFilter } from '../../../gen/types.ts';
import { noSecurityPart, type SecurityPart, type SecuritySite } from '../security.ts';
import type { AccessPlan } from './plan.ts';

export function buildTcpAccess(_plan: AccessPlan, _site: SecuritySite): SecurityPart<ConfigListenerFilter> {
  return noSecurityPart;
}
