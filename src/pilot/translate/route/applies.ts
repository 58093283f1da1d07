import type { HttpMatchRequest, L4Match } from '../../../apis/networking/networking.ts';

/** `mesh`: every sidecar. */
export const MESH = 'mesh';

/** Who asks: a sidecar, or the server of a gateway. */
export type Client = {
  /** `mesh`, or the gateways (`namespace/name`) through which the host is served. */
  readonly gateways: readonly string[];
  /** The listener's port, or the one the gateway's server names. */
  readonly port: number;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
};

type StaticMatch = Pick<HttpMatchRequest | L4Match, 'gateways' | 'port' | 'sourceLabels' | 'sourceNamespace'>;

/**
 * Whether a match can ever be true for a client: what does not depend on the request is decided here.
 * A match that names gateways was written with them in mind, so there it does not ask about labels, which are of sidecars.
 */
export function matchApplies(match: StaticMatch, client: Client): boolean {
  if (match.port !== undefined && match.port !== 0 && match.port !== client.port) return false;
  const gateways = match.gateways ?? [];
  if (gateways.length > 0) {
    if (!gateways.some((gateway) => client.gateways.includes(gateway))) return false;
    if (!client.gateways.includes(MESH)) return true;
  }
  const { sourceNamespace = '' } = match;
  if (sourceNamespace !== '' && sourceNamespace !== client.namespace) return false;
  return Object.entries(match.sourceLabels ?? {}).every(([key, value]) => client.labels[key] === value);
}
