import type { Clock } from '../../kit/clock.ts';
import { err, ok, type Result } from '../../kit/result.ts';
import type { WorkOutcome } from '../../kit/work-queue.ts';
import type { KubeApi, KubeError, KubeObject, KubeResult, ObjectName } from '../../kube/api.ts';
import { asRecord, resourceVersionOf, textIn } from '../../kube/json.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { IDENTITY_FOLDER, identityFiles } from '../identity-files.ts';
import { issueIdentity } from '../issuer.ts';
import { type Account, accountType, LONGEST_ACCOUNT, secretNameOf, secretType } from './account.ts';
import type { AccountTroubles, Trouble } from './account-troubles.ts';
import type { Breaker } from './breaker.ts';
import {
  ACCOUNT_ANNOTATION,
  annotationsOf,
  isImmutable,
  type Judgement,
  judgeSecret,
  SECRET_KIND,
} from './judge-secret.ts';
import { isManaged, type NamespaceRules } from './namespaces.ts';
import type { RenewalRules } from './renewal.ts';
import type { HeldSecret, SecretCopies } from './secret-copies.ts';
import type { SecretMetrics } from './secret-metrics.ts';
import { newSecret, replacingSecret, rewrittenSecret } from './secret-object.ts';
import type { SigningAuthority } from './signing-authority.ts';
import type { WritePace } from './write-pace.ts';

export type SecretRules = NamespaceRules & RenewalRules & { readonly lifetimeMs: number };

export type SecretKeeperDeps = {
  readonly kube: Pick<KubeApi, 'get' | 'create' | 'update' | 'delete'>;
  readonly copies: SecretCopies;
  readonly authority: () => SigningAuthority | undefined;
  readonly rules: SecretRules;
  readonly pace: WritePace;
  readonly breaker: Breaker;
  readonly troubles: AccountTroubles;
  readonly metrics: SecretMetrics;
  /** Lets others have a turn. */
  readonly share: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
};

/** One account, and by what its Secret is judged now. */
type Task = {
  readonly key: string;
  readonly account: Account;
  readonly authority: SigningAuthority;
  readonly secret: ObjectName;
};

type Files = Readonly<Record<string, string>>;
type Repair = Extract<Judgement, { readonly kind: 'reissue' | 'refresh' }>;

const done: WorkOutcome = { kind: 'done' };
const failed: WorkOutcome = { kind: 'failed' };
/** Wall clocks jump and machines sleep: what is due is asked that often. */
const LOOK_MS = 600_000;
/** The certificates of an issuer that is about to end live ever shorter. */
const SOONEST_MS = 1_000;
/** An account that one watch tells of, and the other not yet. */
const BEHIND_MS = 1_000;
const MESSAGE_LIMIT = 300;

/** Makes the Secret of one account what it should be, from whatever state. What is right is not written, nor even read again. */
export class SecretKeeper {
  readonly #deps: SecretKeeperDeps;
  /** Accounts whose Secret was refused when it was tried last: once can be a namespace that is just going. */
  readonly #refused = new Set<string>();

  constructor(deps: SecretKeeperDeps) {
    this.#deps = deps;
  }

  async reconcile(key: string, signal: AbortSignal): Promise<WorkOutcome> {
    const { copies, rules, breaker } = this.#deps;
    if (breaker.waitMs > 0) return { kind: 'again', afterMs: breaker.waitMs };
    const [namespace = '', name = ''] = key.split('/');
    const facts = copies.namespaces.get(namespace);
    // What is in a namespace that goes, goes with it.
    if (facts === undefined || facts.isTerminating || !isManaged(facts, rules))
      return this.#letBe(key, { namespace, name });
    const account = copies.accounts.get(key);
    if (account !== undefined) return await this.#keep(key, account, signal);
    if (copies.held(key) !== undefined) return await this.#removeOrphan(key, { namespace, name }, signal);
    return this.#letBe(key, { namespace, name });
  }

  async #keep(key: string, account: Account, signal: AbortSignal): Promise<WorkOutcome> {
    const { namespace, name } = account;
    const held = this.#deps.copies.held(key);
    const authority = this.#deps.authority();
    // Whoever gets one has everything looked at again.
    if (authority === undefined) return done;
    const now = this.#deps.clock.now();
    if (held !== undefined && isGood(held, { account, authority, now })) return this.#rest(key, held);
    const task = { key, account, authority, secret: { namespace, name: secretNameOf(name) } };
    if (name.length > LONGEST_ACCOUNT) return this.#impossible(task);
    return held === undefined ? await this.#create(task, signal) : await this.#inspect(task, signal);
  }

  #letBe(key: string, account: { readonly namespace: string; readonly name: string }): WorkOutcome {
    this.#deps.troubles.over(account);
    this.#deps.pace.forget(key);
    this.#refused.delete(key);
    return done;
  }

  #impossible({ account }: Task): WorkOutcome {
    this.#deps.metrics.cannotRequest();
    this.#deps.troubles.tell(account, {
      reason: 'IdentityImpossible',
      message: `the name of the account has ${account.name.length} letters, and its Secret would have too many`,
      remedy: `give it one of at most ${LONGEST_ACCOUNT}`,
    });
    return done;
  }

  #rest(key: string, { found }: HeldSecret): WorkOutcome {
    this.#deps.pace.rested(key);
    const leftMs = (found?.renewAt ?? 0) - this.#deps.clock.now();
    return { kind: 'again', afterMs: Math.min(LOOK_MS, Math.max(SOONEST_MS, leftMs)) };
  }

  async #create(task: Task, signal: AbortSignal): Promise<WorkOutcome> {
    const { key, account, authority } = task;
    const { kube, copies, metrics, pace } = this.#deps;
    const waitMs = this.#contestedFor(task);
    if (waitMs > 0) return { kind: 'again', afterMs: waitMs };
    const files = this.#issue(account, authority);
    if (!files.ok) return this.#tell(account, files.error);
    const created = await this.#sharing(kube.create(secretType, newSecret(account, files.value), signal));
    if (signal.aborted) return done;
    if (!created.ok && created.error.reason === 'already-exists') return await this.#inspect(task, signal);
    if (!created.ok) return this.#onRefused(task, created.error);
    if (copies.wasLost(key)) {
      metrics.restored();
      pace.repaired(key);
      this.#log('info', account, 'its Secret was deleted');
    } else {
      metrics.created();
      this.#log('debug', account, 'its account is new');
    }
    return this.#accept(task, created.value);
  }

  /** Reads the Secret as it is now, and does what is to be done about that. */
  async #inspect(task: Task, signal: AbortSignal): Promise<WorkOutcome> {
    const { kube, copies } = this.#deps;
    const read = await this.#sharing(kube.get(secretType, task.secret, signal));
    if (signal.aborted) return done;
    this.#answered(read);
    if (!read.ok && read.error.reason === 'not-found') {
      copies.drop(task.key);
      return failed;
    }
    if (!read.ok) return this.#onRefused(task, read.error);
    const judgement = this.#judge(task, read.value);
    switch (judgement.kind) {
      case 'good':
        return this.#accept(task, read.value);
      case 'foreign':
        return this.#tell(task.account, {
          reason: 'IdentitySecretForeign',
          message: `the Secret ${task.secret.name} is somebody else’s, and was not touched: ${judgement.why}`,
          remedy: 'give it another name, or delete it',
        });
      case 'refresh':
      case 'reissue':
        return await this.#repair(task, { secret: read.value, judgement }, signal);
    }
  }

  async #repair(
    task: Task,
    { secret, judgement }: { readonly secret: KubeObject; readonly judgement: Repair },
    signal: AbortSignal,
  ): Promise<WorkOutcome> {
    const { account, authority, key } = task;
    const reason = reasonOf(judgement);
    const isPlanned = reason === 'due';
    const waitMs = isPlanned ? 0 : this.#contestedFor(task);
    if (waitMs > 0) return { kind: 'again', afterMs: waitMs };
    const files = judgement.kind === 'refresh' ? ok(judgement.files) : this.#issue(account, authority);
    if (!files.ok) return this.#tell(account, files.error);
    const written = await this.#sharing(
      isImmutable(secret)
        ? this.#replace(task, { secret, files: files.value }, signal)
        : this.#deps.kube.update(secretType, rewrittenSecret(secret, account, files.value), signal),
    );
    if (signal.aborted) return done;
    if (!written.ok) return this.#onRefused(task, written.error);
    if (!isPlanned) this.#deps.pace.repaired(key);
    this.#deps.metrics.rewritten(reason);
    this.#log(isPlanned ? 'debug' : 'info', account, judgement.why);
    return this.#accept(task, written.value);
  }

  /** What is immutable can only be made anew. Somebody meant something by it, so they are told. */
  async #replace(
    { account, secret: name }: Task,
    { secret, files }: { readonly secret: KubeObject; readonly files: Files },
    signal: AbortSignal,
  ): Promise<KubeResult> {
    const { kube, troubles } = this.#deps;
    const only = { uid: uidOf(secret), resourceVersion: resourceVersionOf(secret) };
    const deleted = await kube.delete(secretType, name, signal, only);
    if (!deleted.ok) return deleted;
    const created = await kube.create(secretType, replacingSecret(secret, account, files), signal);
    if (created.ok)
      troubles.note(account, {
        reason: 'IdentitySecretReplaced',
        message: `the Secret ${name.name} was immutable and could not be renewed, so it was made anew`,
        remedy: 'restart the pods that have it; leave it mutable',
      });
    return created;
  }

  /** A Secret as it is now. What we wrote may have been changed on its way. */
  #accept(task: Task, secret: KubeObject): WorkOutcome {
    const { key, account, authority } = task;
    const { copies, troubles, breaker } = this.#deps;
    breaker.answered();
    const judgement = this.#judge(task, secret);
    const found =
      judgement.kind === 'good'
        ? { fingerprint: authority.fingerprint, accountUid: account.uid, renewAt: judgement.renewAt }
        : undefined;
    const held = { version: resourceVersionOf(secret), uid: uidOf(secret), found };
    copies.take(key, held);
    if (judgement.kind !== 'good')
      return this.#tell(account, {
        reason: 'IdentitySecretContested',
        message: `the Secret ${task.secret.name} is changed as it is written: ${judgement.why}`,
        remedy: 'look for a webhook that changes Secrets, and leave out those of type istio.io/key-and-cert',
      });
    this.#refused.delete(key);
    if (!this.#deps.pace.isContested(key)) troubles.over(account);
    return this.#rest(key, held);
  }

  async #removeOrphan(
    key: string,
    account: { readonly namespace: string; readonly name: string },
    signal: AbortSignal,
  ): Promise<WorkOutcome> {
    const { kube, copies, metrics } = this.#deps;
    // Two watches are never of one moment: whether the account is gone is asked.
    const alive = await kube.get(accountType, account, signal);
    if (signal.aborted) return done;
    this.#answered(alive);
    if (alive.ok) return { kind: 'again', afterMs: BEHIND_MS };
    if (alive.error.reason !== 'not-found') return this.#orphanFailed(account, alive.error);
    const name = { namespace: account.namespace, name: secretNameOf(account.name) };
    const read = await kube.get(secretType, name, signal);
    if (signal.aborted) return done;
    if (read.ok && isMadeFor(read.value, account.name)) {
      const only = { uid: uidOf(read.value), resourceVersion: resourceVersionOf(read.value) };
      const deleted = await kube.delete(secretType, name, signal, only);
      if (!deleted.ok && deleted.error.reason !== 'not-found') return this.#orphanFailed(account, deleted.error);
      metrics.removed();
      this.#deps.log.debug({ ...account }, 'identity removed with its account');
    } else if (!read.ok && read.error.reason !== 'not-found') return this.#orphanFailed(account, read.error);
    copies.drop(key);
    return this.#letBe(key, account);
  }

  #orphanFailed(account: { readonly namespace: string; readonly name: string }, error: KubeError): WorkOutcome {
    const { breaker, log } = this.#deps;
    if (breaker.failed(error)) return { kind: 'again', afterMs: breaker.waitMs };
    log.warn(
      { ...account, reason: error.message },
      'identity of an account that is gone cannot be removed, trying again',
    );
    return failed;
  }

  #issue({ namespace, name: serviceAccount }: Account, { issuer }: SigningAuthority): Result<Files, Trouble> {
    const { clock, rules, metrics } = this.#deps;
    const now = clock.now();
    const remedy = 'see what xebec check says of the authority';
    try {
      const identity = { namespace, serviceAccount };
      const issued = issueIdentity(issuer, { identity, now, lifetimeMs: rules.lifetimeMs });
      if (issued.notAfter > now) return ok(identityFiles(issued, IDENTITY_FOLDER));
      metrics.cannotSign('TTL_ERROR');
      return err({ reason: 'IdentityNotSigned', message: 'the signing certificate has ended', remedy });
    } catch (error) {
      metrics.cannotSign('CERT_GEN_ERROR');
      const why = error instanceof Error ? error.message : String(error);
      return err({ reason: 'IdentityNotSigned', message: `no certificate could be signed: ${why}`, remedy });
    }
  }

  /** How long to let somebody else have it who changes the Secret whenever it was put right. */
  #contestedFor({ key, account, secret }: Task): number {
    const { pace, troubles } = this.#deps;
    if (pace.isContested(key))
      troubles.tell(account, {
        reason: 'IdentitySecretContested',
        message: `the Secret ${secret.name} is changed or deleted whenever it was put right`,
        remedy: 'look for another controller that writes it',
      });
    return pace.waitMs(key);
  }

  #onRefused({ key, account, secret }: Task, error: KubeError): WorkOutcome {
    const { breaker } = this.#deps;
    if (breaker.failed(error)) return { kind: 'again', afterMs: breaker.waitMs };
    // Somebody was faster: what there is now is read.
    if (['conflict', 'already-exists', 'not-found'].includes(error.reason)) return failed;
    if (!this.#refused.has(key)) {
      this.#refused.add(key);
      return failed;
    }
    const why = error.message.slice(0, MESSAGE_LIMIT);
    return this.#tell(account, {
      reason: 'IdentitySecretRefused',
      message: `the Secret ${secret.name} cannot be written: ${why}`,
      remedy: 'remove what refuses it; it is tried again',
    });
  }

  #tell(account: Account, trouble: Trouble): WorkOutcome {
    this.#deps.troubles.tell(account, trouble);
    return failed;
  }

  /** Answers come together, and reading each takes a while. */
  async #sharing(answer: Promise<KubeResult>): Promise<KubeResult> {
    const result = await answer;
    await this.#deps.share();
    return result;
  }

  #answered(result: KubeResult): void {
    if (result.ok) this.#deps.breaker.answered();
  }

  #judge({ account, authority }: Task, secret: KubeObject): Judgement {
    const { rules, clock } = this.#deps;
    return judgeSecret({ secret, account, authority, rules, now: clock.now() });
  }

  #log(level: 'debug' | 'info', { namespace, name: serviceAccount }: Account, why: string): void {
    this.#deps.log[level]({ namespace, serviceAccount, why }, 'identity written');
  }
}

function reasonOf(judgement: Repair): 'due' | 'wrong' | 'refreshed' {
  if (judgement.kind === 'refresh') return 'refreshed';
  return judgement.isPlanned ? 'due' : 'wrong';
}

type Measure = { readonly account: Account; readonly authority: SigningAuthority; readonly now: number };

function isGood({ found }: HeldSecret, { account, authority, now }: Measure): boolean {
  if (found === undefined || now >= found.renewAt) return false;
  return found.fingerprint === authority.fingerprint && found.accountUid === account.uid;
}

/** Whether a Secret is one that Citadel made for an account of this name. */
function isMadeFor(secret: KubeObject, account: string): boolean {
  return secret['type'] === SECRET_KIND && annotationsOf(secret)[ACCOUNT_ANNOTATION] === account;
}

function uidOf(object: KubeObject): string {
  return textIn(asRecord(object['metadata']), 'uid');
}
