import type { JsonObject } from './json.ts';

/** Which of Envoy's own statistics exist. A sidecar that counts everything costs memory with each cluster it knows. */
export type StatsInclusion =
  | { readonly kind: 'all' }
  | {
      readonly kind: 'matching';
      readonly prefixes: readonly string[];
      readonly suffixes: readonly string[];
      readonly regexes: readonly string[];
    };

/** Istio's choice, and what circuit breaking and outlier detection are watched by. */
const ALWAYS = {
  prefixes: ['cluster_manager', 'listener_manager', 'server', 'cluster.xds-grpc', 'wasm', 'dns_filter'],
  suffixes: [
    'rbac.allowed',
    'rbac.denied',
    'shadow_allowed',
    'shadow_denied',
    'downstream_cx_active',
    'upstream_rq_pending_overflow',
    'upstream_cx_overflow',
    'outlier_detection.ejections_active',
  ],
} as const;

/**
 * Turns the names inside statistics into labels: the first group is cut out of the name, the second is the value.
 * Envoy's own rules end a name at its first dot; ours hold whole host names and addresses.
 */
const TAGS: readonly (readonly [tag: string, regex: string])[] = [
  ['cluster_name', String.raw`^cluster\.((.+?(\..+?\.svc\.[a-z0-9-]+\.[a-z0-9-]+)?)\.)`],
  ['response_code', String.raw`_rq(_(\d{3}))$`],
  ['response_code_class', String.raw`_rq(_(\dxx))$`],
  ['http_conn_manager_prefix', String.raw`^http\.(((?:(?:in|out)bound_[0-9a-fA-F_.:\[\]]*;?|[^.]+))\.)`],
  ['listener_address', String.raw`^listener\.((?:([0-9a-fA-F_.:\[\]]+|[^.]+))\.)`],
  ['tcp_prefix', String.raw`^tcp\.((.*?)\.)\w+?$`],
  ['mongo_prefix', String.raw`^mongo\.((.+?)\.)(?:collection|cmd|cx_|op_|delays_|decoding_)`],
];

export function buildStatsConfig(inclusion: StatsInclusion): JsonObject {
  return {
    stats_config: {
      use_all_default_tags: false,
      stats_tags: TAGS.map(([tag_name, regex]) => ({ tag_name, regex })),
      ...(inclusion.kind === 'all'
        ? {}
        : { stats_matcher: { inclusion_list: { patterns: buildPatterns(inclusion) } } }),
    },
  };
}

function buildPatterns(inclusion: Extract<StatsInclusion, { kind: 'matching' }>): readonly JsonObject[] {
  return [
    ...[...ALWAYS.prefixes, ...inclusion.prefixes].map((prefix) => ({ prefix })),
    ...[...ALWAYS.suffixes, ...inclusion.suffixes].map((suffix) => ({ suffix })),
    ...inclusion.regexes.map((regex) => ({ safe_regex: { regex } })),
  ];
}
