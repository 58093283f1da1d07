export type TransportLimits = {
  /** How long a call may take, its answer included. */
  readonly callMs: number;
  /** The largest answer, in bytes. */
  readonly bodyBytes: number;
  /** Connections for calls; each watch has one of its own. */
  readonly connections: number;
};

export const defaultLimits: TransportLimits = { callMs: 30_000, bodyBytes: 64 * 1024 * 1024, connections: 8 };
