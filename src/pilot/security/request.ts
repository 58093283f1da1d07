import type { MeshSecurity } from '../../model/mesh-security.ts';
import type { RequestPlan } from '../translate/jwt/plan.ts';
import type { Subject } from './subject.ts';

const noTokens: RequestPlan = { rules: [] };

/** The same object for subjects that the same applies to. */
export function selectRequest(_security: MeshSecurity, _subject: Subject): RequestPlan {
  return noTokens;
}
