import type { Protocol, ServicePort } from '../../../model/service.ts';

/**
 * Ports whose servers usually speak first: FTP, SSH, SMTP, DNS, POP3, IMAP, submission, MySQL, NATS, VNC, MongoDB, MySQL X.
 * Waiting for the client's first bytes would hang both sides until the detection times out.
 */
export const serverFirstPorts: readonly number[] = [
  21, 22, 25, 53, 110, 143, 587, 2525, 3306, 4222, 5900, 27_017, 33_060,
];

/** Ports that Envoy and its bootstrap have opened already. */
export const ownPorts: readonly number[] = [15_000, 15_001, 15_006, 15_020, 15_021, 15_053, 15_090];

/** The protocol to listen for: what is unknown on a server-first port is not sniffed. */
export function listenProtocol({ port, protocol }: Pick<ServicePort, 'port' | 'protocol'>): Protocol {
  return protocol === 'auto' && serverFirstPorts.includes(port) ? 'TCP' : protocol;
}
