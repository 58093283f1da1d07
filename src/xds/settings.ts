import type { LaneSettings } from './lanes.ts';
import { defaultLimits } from './limits.ts';
import type { SessionSettings } from './session.ts';

export type XdsSettings = SessionSettings &
  LaneSettings & {
    /** A client that does not read for so long is let go. */
    readonly writeTimeoutMs: number;
    /** Above so many bytes that clients do not read, over all streams, the slowest are let go at once. */
    readonly unreadBytes: number;
    /** How often waiting streams are looked at. */
    readonly tickMs: number;
    /** After so long a rejected resource is tried with one other client; then after twice as long, and so on. */
    readonly secondOpinionMs: number;
    /** After so long a refused secret is offered again to the proxy that refused it; then after twice as long, up to a minute. */
    readonly secretRetryMs: number;
    /** Streams are let go over so long a time when the server stops. */
    readonly drainMs: number;
  };

export const defaultSettings: XdsSettings = {
  limits: defaultLimits,
  holdMs: 10_000,
  graceMs: 5_000,
  splitBytes: 1024 * 1024,
  writeTimeoutMs: 30_000,
  unreadBytes: 256 * 1024 * 1024,
  lanes: 8,
  lanePatienceMs: 250,
  crowdedBytes: 16 * 1024 * 1024,
  tickMs: 1000,
  secondOpinionMs: 30_000,
  secretRetryMs: 2_000,
  drainMs: 5000,
};
