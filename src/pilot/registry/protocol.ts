import { parseProtocol } from '../../apis/protocol.ts';
import type { Protocol } from '../../model/service.ts';

/** The standard names of Kubernetes' `appProtocol`. */
const byAppProtocol: ReadonlyMap<string, Protocol> = new Map([
  ['kubernetes.io/h2c', 'HTTP2'],
  ['kubernetes.io/ws', 'HTTP'],
  ['kubernetes.io/wss', 'HTTPS'],
]);

/** SMTP, DNS, MySQL and MongoDB: their servers speak first or do not speak HTTP, so sniffing would hang or guess wrong. */
const tcpPorts: ReadonlySet<number> = new Set([25, 53, 3306, 27017]);

export type PortNaming = {
  readonly name: string;
  readonly port: number;
  /** Kubernetes' `protocol`. */
  readonly transport: string;
  readonly appProtocol: string | undefined;
};

/** What a Kubernetes port speaks: its `appProtocol`, else the prefix of its name, else what its number is known for. */
export function protocolOfPort({ name, port, transport, appProtocol }: PortNaming): Protocol {
  // Nothing but TCP is proxied, and UDP is the model's word for that.
  if (transport !== 'TCP') return 'UDP';
  const declared =
    appProtocol === undefined ? undefined : (byAppProtocol.get(appProtocol) ?? protocolByPrefix(appProtocol));
  return declared ?? protocolByPrefix(name) ?? byNumber(port);
}

/** What a ServiceEntry's or Sidecar's port speaks by its `protocol` field. */
export function protocolByName(protocol: string | undefined, port: number): Protocol {
  return parseProtocol(protocol) ?? byNumber(port);
}

/** `grpc-web` has a dash of its own, so it is tried first. */
function protocolByPrefix(name: string): Protocol | undefined {
  if (name.toLowerCase().startsWith('grpc-web')) return 'GRPC-Web';
  const dash = name.indexOf('-');
  return parseProtocol(dash < 0 ? name : name.slice(0, dash));
}

function byNumber(port: number): Protocol {
  return tcpPorts.has(port) ? 'TCP' : 'auto';
}
