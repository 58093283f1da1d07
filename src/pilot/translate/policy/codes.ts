import type { CodeText } from '../../../apis/codes.ts';

/** What translation has to say about objects that are right by themselves. Codes never change their meaning. */
export const translateCodes = {
  IST0113: {
    title: 'mutual TLS of clients and servers differs',
    explanation:
      'A DestinationRule has clients speak otherwise than the policies of the servers demand. Remove its tls settings, and both agree by themselves.',
  },
  XEB2101: {
    title: 'port-level settings unset the rest',
    explanation:
      'A port-level entry replaces connectionPool, loadBalancer, outlierDetection and tls together: those it omits are unset for the port, not inherited.',
  },
  XEB2102: {
    title: 'TLS cannot be originated',
    explanation:
      'The certificates the policy asks for cannot be had. Traffic is refused, because sending it without TLS would not be what was asked for.',
  },
  XEB2103: {
    title: 'load balancer cannot be used here',
    explanation: 'The load balancer does not work for this service or proxy, so the default one is used.',
  },
  XEB2104: {
    title: 'one endpoint expected',
    explanation: 'DNS_ROUND_ROBIN follows one DNS name. With several endpoints each is resolved as with DNS.',
  },
  XEB2105: {
    title: 'Secret turned bad',
    explanation:
      'The newest version of a Secret that clients use cannot be used, so the version from before stays in force until it is repaired.',
  },
  XEB2201: {
    title: 'domain used twice',
    explanation:
      'Two services or hosts would answer to the same name or address on one port; Envoy accepts it once, so the first keeps it.',
  },
  XEB2202: {
    title: 'route action cannot be used',
    explanation: 'Envoy has nothing for this value of the action, so the nearest it has is used.',
  },
  XEB2203: {
    title: 'header cannot be changed',
    explanation: 'Envoy lets nobody remove the host header or change headers that start with a colon.',
  },
  XEB2204: {
    title: 'not possible for a gRPC client',
    explanation:
      'A proxyless gRPC client can neither redirect nor answer by itself, so calls that match the rule fail.',
  },
  XEB2601: {
    title: 'keys not known',
    explanation:
      'The keys that verify an issuer’s tokens are not there: they could not be fetched, or none of them can be used. Its tokens are refused until they are; other issuers are not touched.',
  },
  XEB2602: {
    title: 'trigger rules cut short',
    explanation:
      'Envoy cannot tell these trigger rules of several origins apart. The strictest reading is in force: tokens are needed everywhere.',
  },
  XEB2603: {
    title: 'claims at a sidecar',
    explanation:
      'Routing on JWT claims works at gateways only: a rule that sidecars follow as well has no effect there.',
  },
  XEB2604: {
    title: 'tokens of an undeclared port',
    explanation:
      'A port whose protocol nobody declared passes on what does not look like HTTP, and whoever writes requests oddly or slowly enough needs no token. Declare the port as HTTP.',
  },
} satisfies Record<string, CodeText>;

/** The last ones mean here what they mean in analysis, where they are explained. */
export type TranslateCode = keyof typeof translateCodes | 'IST0101' | 'IST0109';
