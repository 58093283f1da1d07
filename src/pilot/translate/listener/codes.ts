import type { CodeText } from '../../../apis/codes.ts';
import type { IssueLevel } from '../../../apis/issue.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import { type Place, stepsOf } from '../policy/diagnose.ts';

/** What listeners have to say about objects that are right by themselves. Codes never change their meaning. */
export const listenerCodes = {
  IST0104: {
    title: 'gateway port not on the workload',
    explanation:
      'A Gateway opens a port that no Service of the gateway workload leads to, so nobody outside can reach it.',
  },
  XEB2301: {
    title: 'port of the proxy',
    explanation: 'The number belongs to the proxy itself, so it cannot be a real socket for anything else.',
  },
  XEB2302: {
    title: 'destination cannot be told apart',
    explanation:
      'Connections are told apart by address, by server name (TLS) or by protocol. This one has nothing of its own, so an older object keeps the port: give the ServiceEntry addresses, or another port.',
  },
  XEB2303: {
    title: 'server name cannot be matched',
    explanation: 'Envoy matches whole server names, or *. and a suffix; other wildcards never match.',
  },
  XEB2305: {
    title: 'Sidecar ingress cannot be served',
    explanation: 'The listener needs something that is not there yet.',
  },
  XEB2306: {
    title: 'access log format cannot be used',
    explanation:
      'Envoy refuses every listener with an unknown operator in its log format, so the default format is used.',
  },
  XEB2307: {
    title: 'rule of another kind than its port',
    explanation: 'Ports of protocol TLS or HTTPS have tls rules, ports of other TCP protocols tcp rules.',
  },
  XEB2308: {
    title: 'mutual TLS without certificates',
    explanation:
      'The port takes mutual TLS only, and the proxy has no certificates to prove itself with. It is closed, because taking plaintext would be open to everybody.',
  },
  XEB2401: {
    title: 'port taken by another server',
    explanation:
      'Servers of one port share it only if all speak HTTP in the clear, or all are told apart by their TLS server names.',
  },
  XEB2402: {
    title: 'host taken by another server',
    explanation: 'On one port a TLS server name leads to one server: the oldest Gateway keeps it.',
  },
  XEB2403: {
    title: 'server not served',
    explanation:
      'The server asks for something that cannot be done (yet). The other servers of the port are not affected.',
  },
  XEB2404: {
    title: 'nothing behind the server',
    explanation:
      'A TCP or TLS server passes connections on by the routes of a VirtualService, and none is bound to it.',
  },
  XEB2405: {
    title: 'certificate cannot be had',
    explanation:
      'The server ends TLS with a Secret that is not there, is broken, or is not for this gateway. Its connections are closed; the other servers of the port are not affected.',
  },
  XEB2406: {
    title: 'Secret turned bad',
    explanation:
      'The newest version of a Secret cannot be used, so the version from before stays in force until it is repaired.',
  },
  XEB2407: {
    title: 'certificate ended',
    explanation:
      'A certificate that a gateway serves with has ended. It is served all the same, and clients refuse it.',
  },
} satisfies Record<string, CodeText>;

export type ListenerCode = keyof typeof listenerCodes;

export function diagnoseListener(level: IssueLevel, code: ListenerCode, place: Place, message: string): Diagnostic {
  return { code, level, path: stepsOf(place.path), message, object: place.object, at: undefined };
}
