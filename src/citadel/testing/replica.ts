import { X509Certificate } from 'node:crypto';
import { onTestFinished } from 'vitest';
import type { ManualClock } from '../../kit/manual-clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { PromMetrics } from '../../telemetry/prom-metrics.ts';
import { Authority, type AuthorityDeps } from '../authority/authority.ts';
import { noEvidence } from '../authority/evidence.ts';
import { certificatesIn } from '../authority/pem.ts';
import { issueIdentity } from '../issuer.ts';
import { SharedStore } from './shared-store.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

const usualTimes = { rootLifetimeMs: 3650 * DAY_MS, announceMs: DAY_MS, longestLeafMs: 90 * DAY_MS, pollMs: 60_000 };

/** For tests of months. */
export const rarely = { ...usualTimes, pollMs: HOUR_MS };

export type Line = {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
};

/** A log that keeps its lines. */
export function keepingLog(): { readonly log: Logger; readonly lines: Line[] } {
  const lines: Line[] = [];
  const at =
    (level: string): Logger['info'] =>
    (fields, message) =>
      void lines.push({ level, message, fields });
  const log: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child: () => log };
  return { log, lines };
}

export type Replica = {
  readonly authority: Authority;
  readonly metrics: PromMetrics;
  readonly lines: readonly Line[];
  /** How often another issuer was told. */
  readonly changes: { count: number };
  lead(leads: boolean): void;
  setTrustDomain(text: string): void;
  stop(): Promise<void>;
};

/** An authority that runs until the end of the test. Let the clock go on for it to do anything. */
export function startReplica(clock: ManualClock, deps: Partial<AuthorityDeps> & Pick<AuthorityDeps, 'own'>): Replica {
  const metrics = new PromMetrics();
  const { log, lines } = keepingLog();
  const state = { leads: true, trustDomain: 'cluster.local' };
  const told = new Set<() => void>();
  const authority = new Authority({
    plugged: undefined,
    evidence: noEvidence,
    rootFile: undefined,
    trustDomain: {
      current: () => state.trustDomain,
      onChange: (listener) => {
        told.add(listener);
        return () => told.delete(listener);
      },
    },
    keeps: true,
    isLeader: () => state.leads,
    times: usualTimes,
    clock,
    log,
    metrics,
    ...deps,
  });
  const changes = { count: 0 };
  authority.onChange(() => {
    changes.count += 1;
  });
  const end = new AbortController();
  const running = authority.run(end.signal);
  const stop = async (): Promise<void> => {
    end.abort();
    await running;
  };
  onTestFinished(stop);
  return {
    authority,
    metrics,
    lines,
    changes,
    lead: (leads) => {
      state.leads = leads;
    },
    setTrustDomain: (text) => {
      state.trustDomain = text;
      for (const listener of told) listener();
    },
    stop,
  };
}

/** Lets time go on, and whatever happens in it come to its end. */
export async function pass(clock: ManualClock, ms: number, steps = 200): Promise<void> {
  const stepMs = Math.max(ms / steps, 1_000);
  for (let left = ms; left > 0; left -= stepMs) {
    await settled(clock);
    await clock.advance(Math.min(stepMs, left));
  }
  await settled(clock);
}

/** Lets what was begun come to its end, without time going on. */
export async function settled(clock: ManualClock): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await clock.yield();
}

export function ownStore(): SharedStore {
  return new SharedStore('Secret istio-system/istio-ca-secret');
}

export function pluggedStore(): SharedStore {
  return new SharedStore('Secret istio-system/cacerts');
}

/** The certificate that signs, and those that are trusted, by their fingerprints. */
export function stateOf({ authority }: Replica) {
  const issuer = authority.current();
  if (issuer === undefined) throw new Error('nobody signs');
  const roots = certificatesIn(issuer.roots) ?? [];
  return {
    signer: fingerprint(issuer.signer.certificate),
    roots: roots.map(({ fingerprint256 }) => fingerprint256).sort(),
  };
}

export function fingerprint(certificate: string): string {
  return new X509Certificate(certificate).fingerprint256;
}

export function messages(replica: Replica): readonly string[] {
  return replica.lines.map(({ level, message }) => `${level} ${message}`);
}

/** Whether a leaf of now would be believed by whoever trusts these roots. */
export function isBelieved(replica: Replica, roots: string, at: number): boolean {
  const issuer = replica.authority.current();
  if (issuer === undefined) return false;
  const identity = { namespace: 'shop', serviceAccount: 'web' };
  const { chain } = issueIdentity(issuer, { identity, now: at, lifetimeMs: DAY_MS });
  const [leaf, ...rest] = certificatesIn(chain) ?? [];
  const parents = [...rest, ...(certificatesIn(roots) ?? [])];
  return leaf !== undefined && parents.some((parent) => leaf.checkIssued(parent) && leaf.verify(parent.publicKey));
}
