import { expect, it } from 'vitest';
import { protocolByName, protocolOfPort } from './protocol.ts';

const port = { name: '', port: 9999, transport: 'TCP', appProtocol: undefined };

it.each([
  // The protocol's own field beats the name.
  [{ name: 'tcp-web', appProtocol: 'http' }, 'HTTP'],
  [{ appProtocol: 'https' }, 'HTTPS'],
  [{ appProtocol: 'http2' }, 'HTTP2'],
  [{ appProtocol: 'kubernetes.io/h2c' }, 'HTTP2'],
  [{ appProtocol: 'kubernetes.io/ws' }, 'HTTP'],
  [{ appProtocol: 'kubernetes.io/wss' }, 'HTTPS'],
  [{ appProtocol: 'grpc' }, 'GRPC'],
  [{ appProtocol: 'grpc-web' }, 'GRPC-Web'],
  [{ appProtocol: 'tls' }, 'TLS'],
  [{ appProtocol: 'mongo' }, 'Mongo'],
  [{ appProtocol: 'redis' }, 'Redis'],
  [{ appProtocol: 'mysql' }, 'MySQL'],
  // What nobody knows is as if it were not there.
  [{ name: 'http-web', appProtocol: 'example.com/custom' }, 'HTTP'],
  [{ name: 'http' }, 'HTTP'],
  [{ name: 'HTTP-web' }, 'HTTP'],
  [{ name: 'http2-x' }, 'HTTP2'],
  [{ name: 'grpc-web-x' }, 'GRPC-Web'],
  [{ name: 'grpc-x' }, 'GRPC'],
  [{ name: 'httpx' }, 'auto'],
  [{ name: 'constructor' }, 'auto'],
  [{ name: '' }, 'auto'],
  [{ name: '', port: 25 }, 'TCP'],
  [{ name: '', port: 53 }, 'TCP'],
  [{ name: '', port: 3306 }, 'TCP'],
  [{ name: 'db', port: 27017 }, 'TCP'],
  [{ name: 'http', port: 3306 }, 'HTTP'],
  [{ name: 'http', transport: 'UDP' }, 'UDP'],
  [{ name: 'sctp', transport: 'SCTP' }, 'UDP'],
])('reads %j as %s', (naming, protocol) => {
  expect(protocolOfPort({ ...port, ...naming })).toBe(protocol);
});

it.each([
  ['HTTPS', 1, 'HTTPS'],
  ['grpc-web', 1, 'GRPC-Web'],
  ['', 1, 'auto'],
  [undefined, 3306, 'TCP'],
] as const)('reads the field %j at port %i as %s', (name, number, protocol) => {
  expect(protocolByName(name, number)).toBe(protocol);
});
