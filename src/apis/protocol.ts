/** What a port of the mesh can speak; Istio's spelling. */
export type KnownProtocol =
  | 'GRPC'
  | 'GRPC-Web'
  | 'HTTP'
  | 'HTTP2'
  | 'HTTPS'
  | 'Mongo'
  | 'MySQL'
  | 'Redis'
  | 'TCP'
  | 'TLS'
  | 'UDP';

const byLowerCase: ReadonlyMap<string, KnownProtocol> = new Map([
  ['grpc', 'GRPC'],
  ['grpc-web', 'GRPC-Web'],
  ['hbone', 'HTTP2'],
  ['http', 'HTTP'],
  ['http2', 'HTTP2'],
  ['http_proxy', 'HTTP'],
  ['https', 'HTTPS'],
  ['mongo', 'Mongo'],
  ['mysql', 'MySQL'],
  ['redis', 'Redis'],
  ['tcp', 'TCP'],
  ['tls', 'TLS'],
  ['udp', 'UDP'],
]);

export const protocolNames: readonly KnownProtocol[] = [
  'HTTP',
  'HTTP2',
  'GRPC',
  'GRPC-Web',
  'HTTPS',
  'TLS',
  'TCP',
  'Mongo',
  'Redis',
  'MySQL',
  'UDP',
];

/** Reads a protocol in any case; nothing for an empty or unknown one. */
export function parseProtocol(text: string | undefined): KnownProtocol | undefined {
  return text === undefined ? undefined : byLowerCase.get(text.toLowerCase());
}

/** HTTP in any version, in the clear. */
export function isHttpProtocol(protocol: KnownProtocol | undefined): boolean {
  return protocol === 'HTTP' || protocol === 'HTTP2' || protocol === 'GRPC' || protocol === 'GRPC-Web';
}

/** TLS on the wire: its server name says which host is wanted. */
export function isTlsProtocol(protocol: KnownProtocol | undefined): boolean {
  return protocol === 'HTTPS' || protocol === 'TLS';
}
