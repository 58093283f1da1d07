import { Field } from '../finding.ts';
import type { Issue } from '../issue.ts';
import { checkRegex } from '../rules/matching.ts';
import { checkSelectorLabels } from '../rules/names.ts';
import { checkPort, warnDeprecated } from '../rules/scalars.ts';
import { checkTargets } from '../rules/targets.ts';
import type {
  ClassicFilter,
  EnvoyConfigMatch,
  EnvoyConfigPatch,
  EnvoyFilterSpec,
  EnvoyPatch,
  ListenerMatch,
} from './networking.ts';

const missing = { problem: 'is required and missing', fix: 'add it' };

/** Everything but the patch's value: whether Envoy can read that is for those to say who know Envoy's messages. */
export function validateEnvoyFilter(spec: EnvoyFilterSpec): readonly Issue[] {
  const issues: Issue[] = [];
  const field = Field.top(issues, 'spec');
  const { configPatches = [], filters = [], workloadLabels, workloadSelector, targetRefs } = spec;
  checkTargets(field, { selector: workloadSelector, targetRefs }, 'workloadSelector');
  if (workloadSelector !== undefined) {
    checkSelectorLabels(field.at('workloadSelector', 'labels'), workloadSelector.labels, 'warning');
  }
  field.at('configPatches').each(configPatches, checkPatch);
  if (workloadLabels !== undefined) warnDeprecated(field.at('workloadLabels'), 'workloadSelector');
  if (filters.length > 0) warnDeprecated(field.at('filters'), 'configPatches');
  field.at('filters').each(filters, checkClassicFilter);
  if (configPatches.length + filters.length === 0) {
    field.at('configPatches').warn('XEB0118', { problem: 'is empty, so nothing is patched' });
  }
  return issues;
}

function checkPatch(field: Field, { applyTo = 'INVALID', match, patch }: EnvoyConfigPatch): void {
  if (applyTo === 'INVALID') field.at('applyTo').error('XEB0701', missing);
  if (patch === undefined) field.at('patch').error('XEB0701', missing);
  else checkOperation(field.at('patch'), patch);
  const version = match?.proxy?.proxyVersion;
  if (version) checkRegex(field.at('match', 'proxy', 'proxyVersion'), version);
  if (match !== undefined) checkMatch(field.at('match'), match, applyTo);
}

function checkOperation(field: Field, patch: EnvoyPatch): void {
  const { operation = 'INVALID', value, filterClass = 'UNSPECIFIED' } = patch;
  if (operation === 'INVALID') {
    field.at('operation').error('XEB0701', missing);
  } else if (value === undefined && operation !== 'REMOVE') {
    field.at('value').error('XEB0701', { problem: `is required for ${operation}`, fix: 'add it' });
  }
  if (filterClass !== 'UNSPECIFIED' && operation !== 'ADD') {
    const problem = `has no effect with ${operation}`;
    field.at('filterClass').warn('XEB0118', { problem, fix: 'use ADD, or remove it' });
  }
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
    if (!waypoint) {
      field
        .at('waypoint')
        .error('XEB0702', { problem: 'needs context WAYPOINT', got: match.context, fix: 'change the context' });
    }
    if (match.waypoint.portNumber !== undefined) {
      checkPort(field.at('waypoint', 'portNumber'), match.waypoint.portNumber);
    }
    return;
  }
  const wanted = matchFor[applyTo];
  for (const given of ['listener', 'routeConfiguration', 'cluster'] as const) {
    if (match[given] === undefined) continue;
    if (waypoint) {
      field.at(given).error('XEB0702', { problem: 'cannot be matched in context WAYPOINT', fix: 'match waypoint' });
    } else if (wanted !== undefined && given !== wanted) {
      field.at(given).error('XEB0702', {
        problem: `cannot be matched for applyTo ${applyTo}`,
        allowed: wanted,
        fix: 'change one of them',
      });
    }
  }
  if (wanted === 'listener') {
    checkFilterMatch(field.at('listener', 'filterChain', 'filter'), match.listener?.filterChain?.filter, applyTo);
  }
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
  if (applyTo !== 'HTTP_FILTER') {
    at.error('XEB0703', { problem: 'needs applyTo HTTP_FILTER', got: applyTo, fix: 'change one of them' });
  }
  if (filter.name && !httpConnectionManagers.includes(filter.name)) {
    at.error('XEB0703', {
      problem: `is not inside ${filter.name}`,
      allowed: httpConnectionManagers.slice(0, 1).join(),
      fix: 'match that filter',
    });
  }
  if (!filter.subFilter.name) {
    at.at('name').error('XEB0703', { problem: 'is required and missing', fix: 'name the sub-filter' });
  }
}

function checkClassicFilter(field: Field, filter: ClassicFilter): void {
  const { insertPosition: position, filterType, filterName, filterConfig } = filter;
  if ((position?.index === 'BEFORE' || position?.index === 'AFTER') && !position.relativeTo) {
    field
      .at('insertPosition', 'relativeTo')
      .error('XEB0704', { problem: `is required for ${position.index}`, fix: 'name a filter' });
  }
  if (!filterType || filterType === 'INVALID') field.at('filterType').error('XEB0704', missing);
  if (!filterName) field.at('filterName').error('XEB0704', missing);
  if (filterConfig === undefined) field.at('filterConfig').error('XEB0704', missing);
}
