import { type Content, isRecord } from '../../pilot/support/contents.ts';
import { type Manifest, virtualService } from '../../pilot/support/manifests.ts';
import { REVIEWS } from '../../pilot/support/shop.ts';
import type { Planted } from './planted.ts';

const to = [{ destination: { host: REVIEWS } }];
const ok = { match: [{ uri: { prefix: '/ok' } }], route: to };

/** Envoy's words for a field of a route, which it finds by the places of virtual host and route. */
function inRoute(mark: string, tail: string) {
  return ({ message, name }: Content): string => {
    const hosts = listOf(message['virtualHosts']);
    const host = hosts.findIndex((each) => JSON.stringify(each).includes(mark));
    const route = listOf(hosts[host]?.['routes']).findIndex((each) => JSON.stringify(each).includes(mark));
    const head = `RouteConfigurationValidationError.VirtualHosts[${host}]: embedded message failed validation`;
    const next = `caused by VirtualHostValidationError.Routes[${route}]: embedded message failed validation`;
    return `Proto constraint validation failed (${head} | ${next} | caused by ${tail}): name: "${name}" virtual_hosts { name: "…" }`;
  };
}

function listOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

type RouteCase = readonly [title: string, rule: Manifest, words: string, field: string];

const regexError = (regex: string): string =>
  `regex '${regex}' RE2 program size of 5210 > max program size of 100 set for the error level threshold. Increase configured max program size if necessary.`;

/** With `bad` somewhere in the rule, and words that quote, or say nothing of the place. */
const quoted: readonly RouteCase[] = [
  [
    'a regex of a path',
    { match: [{ uri: { regex: '/bad.*' } }], route: to },
    regexError('/bad.*'),
    '.match[0].uri.regex',
  ],
  [
    'a regex of a header',
    { match: [{ headers: { 'x-user': { regex: '^bad.*$' } } }], route: to },
    regexError('^bad.*$'),
    '.match[0].headers.x-user.regex',
  ],
  [
    'a regex of a parameter',
    { match: [{ queryParams: { q: { regex: 'bad+' } } }], route: to },
    'invalid repetition operator in "bad+": no argument for repetition operator',
    '.match[0].queryParams.q.regex',
  ],
  [
    'a cluster that is not known',
    { match: [{ uri: { prefix: '/bad' } }], route: [{ destination: { host: REVIEWS, subset: 'v9' } }] },
    `route: unknown cluster 'outbound|80|v9|${REVIEWS}'`,
    '.route[0].destination',
  ],
  [
    'a body that is too large',
    { match: [{ uri: { prefix: '/bad' } }], directResponse: { status: 200, body: { string: 'x' } } },
    'response body size is 5000 bytes; maximum is 4096',
    '.directResponse',
  ],
  [
    'a header that may not be removed',
    { match: [{ uri: { prefix: '/bad' } }], headers: { request: { remove: ['x-bad'] } }, route: to },
    'header modification not allowed: "x-bad"',
    '.headers.request.remove[0]',
  ],
  [
    'a host to rewrite to',
    { match: [{ uri: { prefix: '/bad' } }], rewrite: { authority: 'bad.example.org' }, route: to },
    "host_rewrite_literal 'bad.example.org' is no host",
    '.rewrite.authority',
  ],
];

type PlacedCase = readonly [title: string, rule: Manifest, tail: string, field: string];

const badMatch = { match: [{ uri: { prefix: '/bad' } }] };

/** Words with the place in Envoy's message. */
const placed: readonly PlacedCase[] = [
  [
    'retries',
    { ...badMatch, route: to, retries: { attempts: 2, retryOn: '5xx' } },
    'RouteValidationError.Route: embedded message failed validation | caused by RouteActionValidationError.RetryPolicy: embedded message failed validation | caused by RetryPolicyValidationError.HostSelectionRetryMaxAttempts: value must be greater than 0',
    '.retries',
  ],
  [
    'a timeout',
    { ...badMatch, route: to, timeout: '3s' },
    'RouteActionValidationError.Timeout: value is not a valid duration',
    '.timeout',
  ],
  [
    'cors',
    { ...badMatch, route: to, corsPolicy: { allowOrigins: [{ exact: 'https://a.example.com' }] } },
    'CorsPolicyValidationError.AllowOriginStringMatch[0]: embedded message failed validation',
    '.corsPolicy',
  ],
  [
    'a fault',
    { ...badMatch, route: to, fault: { abort: { httpStatus: 503, percentage: { value: 10 } } } },
    'HTTPFaultValidationError.Abort: embedded message failed validation',
    '.fault',
  ],
  [
    'a redirect',
    { ...badMatch, redirect: { uri: '/elsewhere' } },
    'RouteValidationError.Redirect: embedded message failed validation | caused by RedirectActionValidationError.PathRedirect: value does not match regex pattern',
    '.redirect',
  ],
  [
    'a rewrite',
    { ...badMatch, route: to, rewrite: { uri: '/other' } },
    'RouteActionValidationError.PrefixRewrite: value does not match regex pattern',
    '.rewrite',
  ],
  [
    'a mirror',
    { ...badMatch, route: to, mirror: { host: REVIEWS } },
    'RouteActionValidationError.RequestMirrorPolicies[0]: embedded message failed validation',
    '.mirror',
  ],
  [
    'headers',
    { ...badMatch, route: to, headers: { response: { set: { 'x-a': '1' } } } },
    'RouteValidationError.ResponseHeadersToAdd[0]: embedded message failed validation',
    '.headers',
  ],
  [
    'weights',
    {
      ...badMatch,
      route: [
        { ...to[0], weight: 50 },
        { destination: { host: REVIEWS, port: { number: 80 } }, weight: 50 },
      ],
    },
    'WeightedClusterValidationError.TotalWeight: value must be greater than 0',
    '.route',
  ],
  ['a match', { ...badMatch, route: to }, 'RouteValidationError.Match: embedded message failed validation', '.match'],
];

function planted(rule: Manifest): Manifest {
  return virtualService('shop/planted', { hosts: ['planted.example.com'], http: [ok, rule] });
}

export const plantedInRoutes: readonly Planted[] = [
  ...quoted.map(
    ([title, rule, words, field]): Planted => ({
      title: `route: ${title}`,
      object: planted(rule),
      resource: 'route',
      mark: /v9/.test(words) ? 'outbound|80|v9|' : 'bad',
      words: () => words,
      field: `spec.http[1]${field}`,
    }),
  ),
  ...placed.map(
    ([title, rule, tail, field]): Planted => ({
      title: `route: ${title}`,
      object: planted(rule),
      resource: 'route',
      mark: '/bad',
      words: inRoute('/bad', tail),
      field: `spec.http[1]${field}`,
    }),
  ),
  {
    title: 'route: a domain given twice',
    object: virtualService('shop/planted', { hosts: ['bad.example.com'], http: [{ route: to }] }),
    resource: 'route',
    mark: 'bad.example.com',
    words: ({ name }) =>
      `Only unique values for domains are permitted. Duplicate entry of domain bad.example.com in route ${name}`,
    field: 'spec.hosts[0]',
  },
  {
    title: 'route: wildcards',
    object: virtualService('shop/planted', { hosts: ['bad.example.com'], http: [{ route: to }] }),
    resource: 'route',
    mark: 'bad.example.com',
    words: ({ name }) => `Only a single wildcard domain is permitted in route ${name}`,
    field: 'spec.hosts',
  },
];
