import { isUnixAddress } from '../../../apis/address.ts';
import type { GatewayServer, ServerTls } from '../../../apis/networking/networking.ts';
import { parseProtocol } from '../../../apis/protocol.ts';
import { err, ok, type Result } from '../../../kit/result.ts';
import { isHttp, isTls, type Protocol } from '../../../model/service.ts';
import { readServerTls, type ServerCertificates } from './read-tls.ts';

export type ServerForm = { readonly protocol: Protocol; readonly port: number } & (
  | { readonly kind: 'http' | 'passthrough' | 'auto-passthrough' | 'tcp' }
  | { readonly kind: 'https' | 'tls'; readonly certificates: ServerCertificates }
);

/** What a server does with what arrives, or why it cannot be served. */
export function serverFormOf(server: GatewayServer): Result<ServerForm, string> {
  const { number: port = 0 } = server.port;
  const protocol = parseProtocol(server.port.protocol);
  if (protocol === undefined) return err(`protocol ${JSON.stringify(server.port.protocol ?? '')} is not known`);
  if (protocol === 'UDP') return err('UDP cannot be served by a gateway');
  if (port === 0 && !isUnixAddress(server.bind ?? '')) return err('port 0 is no place to be reached at');
  if (isHttp(protocol)) return ok({ kind: 'http', protocol, port });
  if (!isTls(protocol)) return ok({ kind: 'tcp', protocol, port });
  return tlsFormOf(server, protocol, port);
}

function tlsFormOf({ tls }: GatewayServer, protocol: Protocol, port: number): Result<ServerForm, string> {
  if (tls === undefined) return err('a TLS server needs tls settings');
  switch (tls.mode ?? 'PASSTHROUGH') {
    case 'PASSTHROUGH':
      return ok({ kind: 'passthrough', protocol, port });
    case 'AUTO_PASSTHROUGH':
      return ok({ kind: 'auto-passthrough', protocol, port });
    default:
      return terminatedForm(tls, protocol, port);
  }
}

function terminatedForm(tls: ServerTls, protocol: Protocol, port: number): Result<ServerForm, string> {
  const read = readServerTls(tls);
  return read.ok
    ? ok({ kind: protocol === 'HTTPS' ? 'https' : 'tls', certificates: read.value, protocol, port })
    : read;
}
