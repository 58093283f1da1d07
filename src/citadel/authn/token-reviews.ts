import { createHash } from 'node:crypto';
import type { Clock } from '../../kit/clock.ts';
import type { KubeApi, KubeObject, KubeResult } from '../../kube/api.ts';
import { asRecord, textIn } from '../../kube/json.ts';
import { readTokenExpiry } from './token-claims.ts';

export type TokenReviewsDeps = {
  readonly kube: Pick<KubeApi, 'create'>;
  readonly audiences: readonly string[];
  readonly clock: Clock;
};

/** An account of Kubernetes, as its API server vouches for. */
export type TokenOwner = {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly node: string | undefined;
};

export type TokenVerdict =
  | { readonly kind: 'owner'; readonly owner: TokenOwner }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'unavailable'; readonly reason: string };

type Remembered = { readonly verdict: TokenVerdict; readonly until: number };

const TOKEN_REVIEWS = { group: 'authentication.k8s.io', version: 'v1', plural: 'tokenreviews' } as const;
/** A token whose pod or account went stays good for so long at most. */
const OWNER_MS = 60_000;
/** So that a caller who keeps on asking does not keep on asking the API server. */
const REFUSED_MS = 2_000;
const REMEMBERED = 10_000;
/** Reviews at a time; more callers are told to come again. */
const AT_A_TIME = 64;
const ACCOUNTS_GROUP = 'system:serviceaccounts';
const NODE_NAME = 'authentication.kubernetes.io/node-name';

/** Asks the API server whose a token is. Good answers are kept for a short while, and never beyond the token's own end. */
export class TokenReviews {
  readonly #deps: TokenReviewsDeps;
  readonly #remembered = new Map<string, Remembered>();
  readonly #pending = new Map<string, Promise<TokenVerdict>>();

  constructor(deps: TokenReviewsDeps) {
    this.#deps = deps;
  }

  async review(token: string): Promise<TokenVerdict> {
    const { audiences, clock } = this.#deps;
    const now = clock.now();
    const expiry = readTokenExpiry(token, { audiences, now });
    if (!expiry.ok) return { kind: 'refused', reason: expiry.error };
    const key = createHash('sha256').update(token).digest('base64');
    const known = this.#remembered.get(key);
    if (known !== undefined && known.until > now) return known.verdict;
    const pending = this.#pending.get(key);
    if (pending !== undefined) return await pending;
    if (this.#pending.size >= AT_A_TIME) return { kind: 'unavailable', reason: 'too many tokens are under review' };
    const asked = this.#ask(token).then((verdict) => {
      this.#pending.delete(key);
      this.#remember(key, verdict, expiry.value);
      return verdict;
    });
    this.#pending.set(key, asked);
    return await asked;
  }

  #remember(key: string, verdict: TokenVerdict, expiry: number): void {
    this.#remembered.delete(key);
    if (verdict.kind === 'unavailable') return;
    const now = this.#deps.clock.now();
    this.#remembered.set(key, {
      verdict,
      until: Math.min(expiry, now + (verdict.kind === 'owner' ? OWNER_MS : REFUSED_MS)),
    });
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest);
  }

  async #ask(token: string): Promise<TokenVerdict> {
    const { kube, audiences } = this.#deps;
    const review = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token, audiences: [...audiences] },
    };
    // Nobody can call this off: others may wait for the same answer.
    const answer = await kube.create(TOKEN_REVIEWS, review, new AbortController().signal).catch(failed);
    if (!answer.ok) return { kind: 'unavailable', reason: `no TokenReview: ${answer.error.message}` };
    return judge(asRecord(answer.value['status']), audiences);
  }
}

function failed(error: unknown): KubeResult {
  const message = error instanceof Error ? error.message : String(error);
  return { ok: false, error: { reason: 'other', status: undefined, message, retryAfterMs: undefined } };
}

function judge(status: KubeObject, audiences: readonly string[]): TokenVerdict {
  const refused = (reason: string): TokenVerdict => ({ kind: 'refused', reason });
  if (status['authenticated'] !== true)
    return refused(`the API server: ${textIn(status, 'error').slice(0, 300) || 'not authenticated'}`);
  // One that knows no audiences answers without any, and its word says nothing of who the token is meant for.
  if (!textsIn(status['audiences']).some((each) => audiences.includes(each)))
    return refused('the token is meant for others');
  const user = asRecord(status['user']);
  if (!textsIn(user['groups']).includes(ACCOUNTS_GROUP)) return refused('the token is of no service account');
  const [system, kind, namespace, serviceAccount, ...rest] = textIn(user, 'username').split(':');
  if (system !== 'system' || kind !== 'serviceaccount' || rest.length > 0)
    return refused('the token is of no service account');
  if (namespace === undefined || serviceAccount === undefined) return refused('the token is of no service account');
  const [node] = textsIn(asRecord(user['extra'])[NODE_NAME]);
  return { kind: 'owner', owner: { namespace, serviceAccount, node } };
}

function textsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}
