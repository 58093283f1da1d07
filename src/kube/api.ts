/**
 * What the rest of xebec sees of the Kubernetes API. Objects are plain JSON records; whoever reads one narrows it at once.
 * A call that the API server refuses is a value (`KubeError`), one that never got an answer is one too (`unreachable`).
 */
import type { Result } from '../kit/result.ts';

/** A resource of the API, as its URL names it. The core group is `''`. */
export type ResourceType = {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
};

/** Any object as the API server gives it. */
export type KubeObject = Readonly<Record<string, unknown>>;

/** `namespace` is `''` for what belongs to no namespace. */
export type ObjectName = { readonly namespace: string; readonly name: string };

export type KubeErrorReason =
  | 'not-found'
  | 'already-exists'
  /** Somebody else wrote meanwhile, or (in an apply) owns the field. */
  | 'conflict'
  | 'forbidden'
  | 'unauthorized'
  /** The object is not what the schema, or a webhook, allows. */
  | 'invalid'
  /** The resourceVersion is too old: list again. */
  | 'expired'
  /** Asked too often; `retryAfterMs` says when to come again. */
  | 'too-many-requests'
  /** The API server failed (5xx). */
  | 'server'
  /** No answer: connection refused, cut, or silent. */
  | 'unreachable'
  /** The answer is larger than we take: ask for less at once. */
  | 'too-large'
  | 'other';

export type KubeError = {
  readonly reason: KubeErrorReason;
  /** The HTTP status; `undefined` without an answer. */
  readonly status: number | undefined;
  /** The API server's own words. */
  readonly message: string;
  readonly retryAfterMs: number | undefined;
};

export type KubeResult<T = KubeObject> = Result<T, KubeError>;

export type ListPage = {
  readonly items: readonly KubeObject[];
  readonly resourceVersion: string;
  /** Gives the next page; `undefined` on the last one. */
  readonly continueToken: string | undefined;
};

/** A field or label selector, as kubectl takes it: `metadata.name=istio`. */
export type Selectors = { readonly fieldSelector?: string; readonly labelSelector?: string };

export type ListOptions = Selectors & {
  /** `''` for all namespaces, and for what belongs to none. */
  readonly namespace: string;
  readonly limit: number;
  readonly continueToken?: string | undefined;
};

export type WatchOptions = Selectors & {
  readonly namespace: string;
  readonly resourceVersion: string;
  /** The server ends the watch after about so long. */
  readonly timeoutSeconds: number;
  /** The watch counts as dead when nothing, not even a bookmark, came for so long. */
  readonly silenceMs: number;
  /** Told once the server has accepted the watch: a quiet one may say nothing for a minute. */
  readonly onOpen?: () => void;
};

export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

export type ApplyOptions = {
  readonly fieldManager: string;
  /** Take over fields that others own. */
  readonly force: boolean;
  readonly subresource?: 'status';
  readonly dryRun?: boolean;
};

/** The Kubernetes API, with one pooled connection, credentials that are read again as they rotate, and a time limit per call. */
export interface KubeApi {
  get(type: ResourceType, name: ObjectName, signal: AbortSignal): Promise<KubeResult>;
  list(type: ResourceType, options: ListOptions, signal: AbortSignal): Promise<KubeResult<ListPage>>;
  /** Ends (without error) when the server ends the watch; an error is the last thing that is yielded. */
  watch(type: ResourceType, options: WatchOptions, signal: AbortSignal): AsyncIterable<KubeResult<WatchEvent>>;
  create(type: ResourceType, object: KubeObject, signal: AbortSignal, dryRun?: boolean): Promise<KubeResult>;
  /** Replaces; the object's resourceVersion is the lock. */
  update(type: ResourceType, object: KubeObject, signal: AbortSignal): Promise<KubeResult>;
  /** Server-side apply. */
  apply(type: ResourceType, object: KubeObject, options: ApplyOptions, signal: AbortSignal): Promise<KubeResult>;
  /** A JSON patch (RFC 6902); a `test` operation on the resourceVersion makes it a lock. */
  patch(
    type: ResourceType,
    name: ObjectName,
    patch: readonly JsonPatchStep[],
    signal: AbortSignal,
  ): Promise<KubeResult>;
  /** With `only`, another object of that name, or a newer version, stays: the answer is then `conflict`. */
  delete(type: ResourceType, name: ObjectName, signal: AbortSignal, only?: ObjectVersion): Promise<KubeResult<void>>;
  /** A GET outside of resources: `/version`, `/apis/networking.istio.io`. */
  getPath(path: string, signal: AbortSignal): Promise<KubeResult>;
}

/** This object and no later one of its name; with a resourceVersion, this version of it and no later one. */
export type ObjectVersion = { readonly uid: string; readonly resourceVersion?: string };

export type JsonPatchStep = {
  readonly op: 'add' | 'remove' | 'replace' | 'test';
  readonly path: string;
  readonly value?: unknown;
};

/** Whether this process may do what only one replica may. */
export interface Leadership {
  readonly isLeader: boolean;
  /** Runs `work` while this process leads; its signal aborts when leadership is lost. Resolves when `signal` aborts. */
  whileLeading(work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void>;
}

export type EventNote = {
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, of a closed list of its writer. */
  readonly reason: string;
  readonly message: string;
  /** CamelCase verb: what was being done. */
  readonly action: string;
};

/** The object an Event is about. */
export type EventSubject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string | undefined;
};

/** Writes Events: at most one per object and reason in ten minutes (the repeats are counted in its series), within a budget. Never throws. */
export interface EventRecorder {
  record(subject: EventSubject, note: EventNote): void;
}
