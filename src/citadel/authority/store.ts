import type { AuthorityFiles } from './files.ts';

/** What a person asks of an authority, where its store has a place for that. */
export type AuthorityRequests = {
  /** Any new text starts a rotation of the root. */
  readonly rotate: string;
  /** What is stored is meant, though the mesh trusts something else. */
  readonly accept: boolean;
};

export type Stored = {
  readonly files: AuthorityFiles;
  readonly requests: AuthorityRequests;
  /** By which the store knows that nobody wrote meanwhile. */
  readonly token: unknown;
};

/** Why something could not be done, and what a person can do about it. */
export type Trouble = { readonly reason: string; readonly remedy: string };

export type Reading =
  | { readonly kind: 'found'; readonly stored: Stored }
  | { readonly kind: 'absent' }
  | ({ readonly kind: 'unreadable' } & Trouble);

export type Writing =
  | { readonly kind: 'written' }
  /** Somebody else was faster: what they wrote is to be read. */
  | { readonly kind: 'overtaken' }
  | ({ readonly kind: 'failed' } & Trouble);

/** Where an authority is found. */
export interface AuthoritySource {
  /** For people: `Secret istio-system/cacerts`. */
  readonly name: string;
  read(signal: AbortSignal): Promise<Reading>;
  /** Calls `onChange` when `read` may have another answer, until the signal aborts. */
  watch(onChange: () => void, signal: AbortSignal): Promise<void>;
}

/** Where an authority is kept. */
export interface AuthorityStore extends AuthoritySource {
  /** Whether what is kept outlives the process. */
  readonly isLasting: boolean;
  create(files: AuthorityFiles, signal: AbortSignal): Promise<Writing>;
  update(stored: Stored, files: AuthorityFiles, signal: AbortSignal): Promise<Writing>;
}

export const noRequests: AuthorityRequests = { rotate: '', accept: false };
