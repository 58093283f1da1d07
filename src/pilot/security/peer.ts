import type { MeshSecurity } from '../../model/mesh-security.ts';
import type { PeerPlan } from '../translate/peer/plan.ts';
import { PeerRules } from './peer-rules.ts';
import type { Subject } from './subject.ts';

type Known = {
  readonly policies: MeshSecurity['Policy'];
  readonly meshPolicies: MeshSecurity['MeshPolicy'];
  readonly rootNamespace: string;
  readonly rules: PeerRules;
};

const known = new WeakMap<MeshSecurity['PeerAuthentication'], Known>();

/** What the mesh says about mutual TLS. The same object until one of its policies for that moves. */
export function peerRules(security: MeshSecurity): PeerRules {
  const { PeerAuthentication, Policy, MeshPolicy, rootNamespace } = security;
  const before = known.get(PeerAuthentication);
  const isSame =
    before?.policies === Policy && before.meshPolicies === MeshPolicy && before.rootNamespace === rootNamespace;
  if (isSame) return before.rules;
  const rules = new PeerRules(security);
  known.set(PeerAuthentication, { policies: Policy, meshPolicies: MeshPolicy, rootNamespace, rules });
  return rules;
}

/** The same object for subjects that the same applies to. */
export function selectPeer(security: MeshSecurity, subject: Subject): PeerPlan {
  return peerRules(security).select(subject);
}
