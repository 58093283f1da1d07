import type { InboundTlsMode } from '../listener/inbound-match.ts';

/** How a workload's ports take connections. */
export type PeerPlan = {
  readonly mode: InboundTlsMode;
  /** Ports of the workload that are unlike the rest. */
  readonly ports: ReadonlyMap<number, InboundTlsMode>;
};
