import { Field } from '../finding.ts';
import type { Issue } from '../issue.ts';
import { checkRegex } from '../rules/matching.ts';
import { checkSelectorLabels } from '../rules/names.ts';
import { checkPort, warnDeprecated } from '../rules/scalars.ts';
import type {
  ClassicFilter,
  EnvoyConfigMatch,
  EnvoyConfigPatch,
  EnvoyFilterSpec,
  ListenerMatch,
} from './networking.ts';

/** Everything but the patch's value: whether Envoy can read that is for those to say who know Envoy's messages. */
export function validateEnvoyFilter(spec: EnvoyFilterSpec): readonly Issue[] {
  const issues: Issue[] = [];
  const field = Field.top(issues, 'spec');
  const { workloadSelector, targetRefs = [], configPatches = [], filters = [], workloadLabels } = spec;
  if (workloadSelector !== undefined)
    checkSelectorLabels(field.at('workloadSelector', 'labels'), workloadSelector.labels);
  if (workloadSelector !== undefined && targetRefs.length > 0) {
    field
      .at('targetRefs')
      .error('XEB0705', { problem: 'cannot stand beside workloadSelector', fix: 'keep one of them' });
  }
  for (const [index, ref] of targetRefs.entries()) checkTargetRef(field.at('targetRefs', index), ref);
  for (const [index, patch] of configPatches.entries()) checkPatch(field.at('configPatches', index), patch);
  if (workloadLabels !== undefined) warnDeprecated(field.at('workloadLabels'), 'workloadSelector');
  if (filters.length > 0) warnDeprecated(field.at('filters'), 'configPatches');
  for (const [index, filter] of filters.entries()) checkClassicFilter(field.at('filters', index), filter);
  if (configPatches.length + filters.length === 0)
    field.at('configPatches').warn('XEB0118', { problem: 'is empty, so nothing is patched' });
  return issues;
}

const targetKinds: readonly string[] = [
  '/Service',
  'core/Service',
  'networking.istio.io/ServiceEntry',
  'gateway.networking.k8s.io/Gateway',
  'gateway.networking.k8s.io/GatewayClass',
];

type TargetRef = NonNullable<EnvoyFilterSpec['targetRefs']>[number];

function checkTargetRef(field: Field, { group = '', kind = '', name, namespace }: TargetRef): void {
  if (!name) field.at('name').error('XEB0705', { problem: 'is required and missing', fix: 'name the target' });
  if (namespace)
    field
      .at('namespace')
      .error('XEB0705', { problem: 'cannot be set', got: namespace, fix: 'targets are in the own namespace' });
  if (targetKinds.includes(`${group}/${kind}`)) return;
  field
    .at('kind')
    .error('XEB0705', {
      problem: 'cannot be a target',
      got: `${group}/${kind}`,
      allowed: targetKinds.slice(1).join(', '),
    });
}

function checkPatch(field: Field, { applyTo, match, patch }: EnvoyConfigPatch): void {
  if (!applyTo || applyTo === 'INVALID')
    field.at('applyTo').error('XEB0701', { problem: 'is required and missing', fix: 'say what is patched' });
  const operation = patch?.operation ?? 'INVALID';
  if (patch === undefined)
    field.at('patch').error('XEB0701', { problem: 'is required and missing', fix: 'add a patch' });
  else if (operation === 'INVALID')
    field.at('patch', 'operation').error('XEB0701', { problem: 'is required and missing', fix: 'add one' });
  else if (patch.value === undefined && operation !== 'REMOVE') {
    field.at('patch', 'value').error('XEB0701', { problem: `is required for ${operation}`, fix: 'add a value' });
  }
  if (patch?.filterClass !== undefined && patch.filterClass !== 'UNSPECIFIED' && operation !== 'ADD') {
    field
      .at('patch', 'filterClass')
      .warn('XEB0118', { problem: `has no effect with ${operation}`, fix: 'use ADD, or remove it' });
  }
  if (match === undefined) return;
  const version = match.proxy?.proxyVersion;
  if (version) checkRegex(field.at('match', 'proxy', 'proxyVersion'), version);
  if (applyTo !== undefined) checkMatch(field.at('match'), match, applyTo);
}

type ApplyTo = NonNullable<EnvoyConfigPatch['applyTo']>;
type ObjectMatch = 'listener' | 'routeConfiguration' | 'cluster';

const matchFor: Readonly<Partial<Record<ApplyTo, ObjectMatch>>> = {
  LISTENER: 'listener',
  LISTENER_FILTER: 'listener',
  FILTER_CHAIN: 'listener',
  NETWORK_FILTER: 'listener',
  HTTP_FILTER: 'listener',
  ROUTE_CONFIGURATION: 'routeConfiguration',
  VIRTUAL_HOST: 'routeConfiguration',
  HTTP_ROUTE: 'routeConfiguration',
  CLUSTER: 'cluster',
};

function checkMatch(field: Field, match: EnvoyConfigMatch, applyTo: ApplyTo): void {
  const waypoint = match.context === 'WAYPOINT';
  if (match.waypoint !== undefined) {
    if (!waypoint)
      field
        .at('waypoint')
        .error('XEB0702', { problem: 'needs context WAYPOINT', got: match.context, fix: 'change the context' });
    if (match.waypoint.portNumber !== undefined)
      checkPort(field.at('waypoint', 'portNumber'), match.waypoint.portNumber);
    return;
  }
  const wanted = matchFor[applyTo];
  for (const given of ['listener', 'routeConfiguration', 'cluster'] as const) {
    if (match[given] === undefined) continue;
    if (waypoint)
      field.at(given).error('XEB0702', { problem: 'cannot be matched in context WAYPOINT', fix: 'match waypoint' });
    else if (wanted !== undefined && given !== wanted) {
      field
        .at(given)
        .error('XEB0702', {
          problem: `cannot be matched for applyTo ${applyTo}`,
          allowed: wanted,
          fix: 'change one of them',
        });
    }
  }
  if (wanted === 'listener')
    checkFilterMatch(field.at('listener', 'filterChain', 'filter'), match.listener?.filterChain?.filter, applyTo);
}

const httpConnectionManagers: readonly string[] = [
  'envoy.filters.network.http_connection_manager',
  'envoy.http_connection_manager',
];

type FilterMatch = NonNullable<NonNullable<ListenerMatch['filterChain']>['filter']>;

function checkFilterMatch(field: Field, filter: FilterMatch | undefined, applyTo: ApplyTo): void {
  if (filter === undefined) return;
  if (!filter.name) field.at('name').error('XEB0703', { problem: 'is required and missing', fix: 'name the filter' });
  if (applyTo === 'LISTENER' || applyTo === 'FILTER_CHAIN') {
    field.warn('XEB0118', { problem: `has no effect with applyTo ${applyTo}`, fix: 'remove it' });
  }
  if (filter.subFilter === undefined) return;
  const at = field.at('subFilter');
  if (applyTo !== 'HTTP_FILTER')
    at.error('XEB0703', { problem: 'needs applyTo HTTP_FILTER', got: applyTo, fix: 'change one of them' });
  if (filter.name && !httpConnectionManagers.includes(filter.name)) {
    at.error('XEB0703', {
      problem: `is not inside ${filter.name}`,
      allowed: httpConnectionManagers.slice(0, 1).join(),
      fix: 'match that filter',
    });
  }
  if (!filter.subFilter.name)
    at.at('name').error('XEB0703', { problem: 'is required and missing', fix: 'name the sub-filter' });
}

function checkClassicFilter(field: Field, filter: ClassicFilter): void {
  const { insertPosition: position, filterType, filterName, filterConfig } = filter;
  if ((position?.index === 'BEFORE' || position?.index === 'AFTER') && !position.relativeTo) {
    field
      .at('insertPosition', 'relativeTo')
      .error('XEB0704', { problem: `is required for ${position.index}`, fix: 'name a filter' });
  }
  const missing = { problem: 'is required and missing', fix: 'add it' };
  if (!filterType || filterType === 'INVALID') field.at('filterType').error('XEB0704', missing);
  if (!filterName) field.at('filterName').error('XEB0704', missing);
  if (filterConfig === undefined) field.at('filterConfig').error('XEB0704', missing);
}
