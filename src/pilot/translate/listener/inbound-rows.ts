import type { Protocol } from '../../../model/service.ts';
import { modeOfPort, type PeerPlan } from '../peer/plan.ts';
import type { ProxyTraits } from '../plan.ts';
import { type InboundRow, type InboundTlsMode, inboundRows } from './inbound-match.ts';

export type RowInputs = {
  readonly peer: PeerPlan;
  readonly traits: Pick<ProxyTraits, 'identityFolder' | 'http10'>;
  readonly protocol: Protocol;
  /** Undefined for the ports that nobody names. */
  readonly port: number | undefined;
};

/** No rows at all: mutual TLS is demanded, and the proxy has nothing to prove itself with. Plaintext instead would be open. */
export type PortRows = { readonly kind: 'closed' } | { readonly kind: 'open'; readonly rows: readonly InboundRow[] };

/** How a port of the workload is entered. A proxy without certificates takes plaintext where that is permitted. */
export function rowsOf({ peer, traits, protocol, port }: RowInputs): PortRows {
  const wanted = modeOfPort(peer, port);
  const hasIdentity = traits.identityFolder !== '';
  if (wanted === 'STRICT' && !hasIdentity) return { kind: 'closed' };
  const mode: InboundTlsMode = hasIdentity ? wanted : 'DISABLE';
  return { kind: 'open', rows: inboundRows({ protocol, mode, http10: traits.http10 }) };
}

/** Whether somebody must find out if connections begin with TLS. */
export function asksForTls(rows: PortRows): boolean {
  return rows.kind === 'open' && rows.rows.some(({ match }) => match.transport === 'tls');
}

/** Whether somebody must find out if connections begin with HTTP. */
export function asksForHttp(rows: PortRows): boolean {
  return (
    rows.kind === 'open' &&
    rows.rows.some(({ match }) => match.transport === 'raw_buffer' && match.protocols !== undefined)
  );
}
