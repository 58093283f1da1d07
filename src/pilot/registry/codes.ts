import type { CodeText } from '../../apis/codes.ts';

/** What the mesh as a whole says about objects that are right by themselves. Codes never change their meaning. */
export const meshCodes = {
  IST0116: {
    title: 'services disagree on a port of a workload',
    explanation:
      'Several services lead to one port of the same workload and give it different protocols. The oldest service decides how it is served.',
  },
  XEB2001: {
    title: 'delegate cannot be used',
    explanation:
      'A delegate is a VirtualService without hosts that is exported to the namespace of the one that delegates; it does not delegate again.',
  },
  XEB2002: {
    title: 'delegated route never matches',
    explanation:
      'A delegated route is used for requests that match both it and the rule that delegates. These two have nothing in common, or one of them is a regular expression, where that cannot be told.',
  },
  XEB2003: {
    title: 'traffic policy not used',
    explanation: 'Of several DestinationRules of one namespace for one host, the oldest with a traffic policy sets it.',
  },
  XEB2004: {
    title: 'entries of one host differ',
    explanation:
      'Several ServiceEntries of one namespace have the same host, so they are one service. The oldest sets resolution and location; what contradicts it is not used.',
  },
  XEB2005: {
    title: 'host of a Kubernetes Service',
    explanation:
      'The host is that of a Kubernetes Service, which has the say; the entry can only add endpoints to its ports.',
  },
  XEB2006: {
    title: 'no automatic address left',
    explanation: 'The block for automatic addresses holds 65024 of them, and older hosts have taken all.',
  },
  XEB2007: {
    title: 'endpoints that are names',
    explanation:
      'Endpoints are sent to proxies as addresses. Names are resolved where a ServiceEntry or an ExternalName asks for it.',
  },
  XEB2008: {
    title: 'policy for mutual TLS not used',
    explanation:
      'Of several policies with one reach (the mesh, a namespace, the same workloads) one decides: a PeerAuthentication before a classic Policy or MeshPolicy, and of those of one kind the oldest.',
  },
} satisfies Record<string, CodeText>;

/** The last two mean here what they mean in validation and analysis, where they are explained. */
export type MeshCode = keyof typeof meshCodes | 'IST0101' | 'XEB0303';
