import type { EventRecorder } from '../../kube/api.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { type Account, accountKey } from './account.ts';

/** Reasons of Events on a ServiceAccount. */
export type TroubleReason =
  /** The API server, a quota or a webhook refuses the Secret. */
  | 'IdentitySecretRefused'
  /** A Secret of its name is somebody else's. */
  | 'IdentitySecretForeign'
  /** Somebody changes the Secret as often as it is put right. */
  | 'IdentitySecretContested'
  /** The Secret was immutable: pods that have it do not see the new one. */
  | 'IdentitySecretReplaced'
  /** There can be no such Secret, or no such identity. */
  | 'IdentityImpossible'
  /** The authority of the mesh cannot sign. */
  | 'IdentityNotSigned';

export type Trouble = { readonly reason: TroubleReason; readonly message: string; readonly remedy: string };

/** Of one reason. What it is about is told by an Event on each account; a log of ten thousand lines helps nobody. */
const LINES = 20;

/** What is wrong with the Secrets of accounts: each told once, when it begins and when it is over. */
export class AccountTroubles {
  readonly #events: EventRecorder;
  readonly #log: Logger;
  readonly #open = new Map<string, Trouble & { readonly isLogged: boolean }>();

  constructor(events: EventRecorder, log: Logger) {
    this.#events = events;
    this.#log = log;
  }

  tell(account: Account, trouble: Trouble): void {
    const key = accountKey(account);
    const { reason, message, remedy } = trouble;
    this.note(account, trouble);
    const known = this.#open.get(key);
    if (known?.reason === reason && known.message === message) return;
    const before = [...this.#open.values()].filter((each) => each.reason === reason).length;
    const isLogged = before < LINES;
    this.#open.set(key, { ...trouble, isLogged });
    const { namespace, name: serviceAccount } = account;
    if (isLogged)
      this.#log.warn({ namespace, serviceAccount, reason, message, remedy }, 'identity cannot be kept up to date');
    else if (before === LINES)
      this.#log.warn({ reason, remedy }, 'more of the same: see Events of the service accounts');
  }

  /** Something to know, and not to be repaired. */
  note({ namespace, name, uid }: Account, { reason, message, remedy }: Trouble): void {
    const subject = { apiVersion: 'v1', kind: 'ServiceAccount', namespace, name, uid };
    this.#events.record(subject, { type: 'Warning', reason, message: `${message}: ${remedy}`, action: 'Issue' });
  }

  over(account: { readonly namespace: string; readonly name: string }): void {
    const known = this.#open.get(accountKey(account));
    if (known === undefined) return;
    this.#open.delete(accountKey(account));
    const { namespace, name: serviceAccount } = account;
    if (known.isLogged) this.#log.info({ namespace, serviceAccount }, 'identity can be kept up to date again');
  }
}
