import type { InboundTlsMode } from '../listener/inbound-match.ts';
import type { Place } from '../policy/diagnose.ts';

/** How a workload's ports take connections. */
export type PeerPlan = {
  readonly mode: InboundTlsMode;
  /** Ports of the workload that are unlike the rest. */
  readonly ports: ReadonlyMap<number, InboundTlsMode>;
  /** Who said so, by port and for the rest; nobody where a mode is the default. */
  readonly said: ReadonlyMap<number | 'rest', Place>;
};

export function modeOfPort({ mode, ports }: PeerPlan, port: number | undefined): InboundTlsMode {
  return port === undefined ? mode : (ports.get(port) ?? mode);
}

/** Who decided about a port. */
export function saidOfPort({ ports, said }: PeerPlan, port: number | undefined): Place | undefined {
  return said.get(port !== undefined && ports.has(port) ? port : 'rest');
}
