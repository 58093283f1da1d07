import { onTestFinished } from 'vitest';
import type { ManualClock } from '../../kit/manual-clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { PromMetrics } from '../../telemetry/prom-metrics.ts';
import { Authority, type AuthorityDeps } from '../authority/authority.ts';
import { noEvidence } from '../authority/evidence.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

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
    isLeader: () => state.leads,
    times: { rootLifetimeMs: 3650 * DAY_MS, announceMs: DAY_MS, longestLeafMs: 90 * DAY_MS },
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

/** Lets what was begun come to its end, without time going on. */
export async function settled(clock: ManualClock): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await clock.yield();
}
