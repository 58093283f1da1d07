import type { MeshSecurity } from '../../model/mesh-security.ts';
import type { PeerPlan } from '../translate/peer/plan.ts';
import type { Subject } from './subject.ts';

const disabled: PeerPlan = { mode: 'DISABLE', ports: new Map() };

/** The same object for subjects that the same applies to. */
export function selectPeer(_security: MeshSecurity, _subject: Subject): PeerPlan {
  return disabled;
}
