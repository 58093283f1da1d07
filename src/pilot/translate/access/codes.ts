import type { CodeText } from '../../../apis/codes.ts';
import type { IssueLevel } from '../../../apis/issue.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import { type Place, stepsOf } from '../policy/diagnose.ts';

/** What access policies cannot do where they apply. Codes never change their meaning. */
export const accessCodes = {
  XEB2801: {
    title: 'not enforceable on TCP',
    explanation:
      'The rule asks for what only HTTP has. On ports that are not HTTP an ALLOW rule then lets nobody in, and a DENY rule keeps out all whom the rest of it is about: name the ports, or declare the port as HTTP.',
  },
  XEB2802: {
    title: 'identity asked on a plaintext port',
    explanation:
      'Clients that connect without mutual TLS have no identity, so a DENY rule about identities does not keep them out. Make the workload STRICT by a PeerAuthentication, or deny notPrincipals ["*"] too.',
  },
  XEB2803: {
    title: 'authorizer cannot be asked',
    explanation:
      'The extension provider is not defined, or cannot be asked from here. What the policy matches is refused until it can.',
  },
  XEB2804: {
    title: 'paths are compared as they come',
    explanation:
      'With pathNormalization NONE a client can write a path in ways that no policy matches: dots, or letters as %61. Use BASE, the default, or more.',
  },
  XEB2805: {
    title: 'policy cannot be enforced as it is written',
    explanation:
      'Something in the policy has no equal in the proxy. It lets nobody in, and keeps out whom it may mean.',
  },
  XEB2806: {
    title: 'target that is not served',
    explanation: 'The policy is tied to an object that nothing here runs, so it protects nothing.',
  },
} satisfies Record<string, CodeText>;

type AccessCode = keyof typeof accessCodes;

export function diagnoseAccess(level: IssueLevel, code: AccessCode, place: Place, message: string): Diagnostic {
  return { code, level, path: stepsOf(place.path), message, object: place.object, at: undefined };
}
