import { memoByIdentity } from '../../kit/memo.ts';
import type { MeshSecurity } from '../../model/mesh-security.ts';
import type { WorkloadSecurity } from '../translate/security.ts';
import { selectAccess } from './access.ts';
import { selectPeer } from './peer.ts';
import { selectRequest } from './request.ts';
import type { Subject } from './subject.ts';

/** A workload's protection, and a text that tells it from others. */
export type SelectedSecurity = { readonly key: string; readonly value: WorkloadSecurity };

const LIMIT = 10_000;

/** Finds what protects a workload; the same record for all workloads with the same protection. */
export class SecuritySelection {
  readonly #known = new Map<string, WorkloadSecurity>();

  get(security: MeshSecurity, subject: Subject): SelectedSecurity {
    const parts: WorkloadSecurity = {
      peer: selectPeer(security, subject),
      request: selectRequest(security, subject),
      access: selectAccess(security, subject),
    };
    const key = [parts.peer, parts.request, parts.access].map(numberOf).join('-');
    const known = this.#known.get(key);
    if (known !== undefined) return { key, value: known };
    if (this.#known.size >= LIMIT) this.#known.clear();
    this.#known.set(key, parts);
    return { key, value: parts };
  }
}

let count = 0;
const numberOf = memoByIdentity((_: object) => {
  count += 1;
  return count;
});
