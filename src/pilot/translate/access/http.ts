import type { HttpFilter } from '../../../gen/types.ts';
import { noSecurityPart, type SecurityPart, type SecuritySite } from '../security.ts';
import type { AccessPlan } from './plan.ts';

export type HttpAccess = {
  /** Asks an external authorizer; comes before tokens are read. */
  readonly custom: SecurityPart<HttpFilter>;
  readonly rules: SecurityPart<HttpFilter>;
};

export function buildHttpAccess(_plan: AccessPlan, _site: SecuritySite): HttpAccess {
  return { custom: noSecurityPart, rules: noSecurityPart };
}
