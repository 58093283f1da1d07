import { describe, expect, it } from 'vitest';
import { type Case, judge } from '../testing/judge.ts';

const value = { name: 'a' };
const manager = 'envoy.filters.network.http_connection_manager';

function patch(members: object): object {
  return { configPatches: [{ applyTo: 'HTTP_FILTER', patch: { operation: 'INSERT_BEFORE', value }, ...members }] };
}

function filter(members: object, applyTo = 'HTTP_FILTER'): object {
  return patch({ applyTo, match: { listener: { filterChain: { filter: members } } } });
}

function classic(members: object): object {
  return { filters: [{ filterType: 'HTTP', filterName: 'a', filterConfig: {}, ...members }] };
}

const at = 'spec.configPatches[0]';
const old = 'warning IST0002 spec.filters';

const cases: readonly Case[] = [
  [
    'a selector with a wildcard, which 1.4 took',
    { ...patch({}), workloadSelector: { labels: { app: 'a*' } } },
    'warning XEB0117 spec.workloadSelector.labels.app',
  ],
  [
    'a patch',
    patch({ match: { context: 'SIDECAR_INBOUND', proxy: { proxyVersion: '^1\\.9.*', metadata: { a: 'b' } } } }),
  ],
  ['nothing', {}, 'warning XEB0118 spec.configPatches'],
  ['no applyTo', { configPatches: [{ patch: { operation: 'ADD', value } }] }, `error XEB0701 ${at}.applyTo`],
  ['no patch', { configPatches: [{ applyTo: 'CLUSTER' }] }, `error XEB0701 ${at}.patch`],
  ['no operation', patch({ patch: { value } }), `error XEB0701 ${at}.patch.operation`],
  ['no value', patch({ patch: { operation: 'ADD' } }), `error XEB0701 ${at}.patch.value`],
  ['removing', patch({ patch: { operation: 'REMOVE' } })],
  [
    'a bad version',
    patch({ match: { proxy: { proxyVersion: '1.(' } } }),
    `error IST0122 ${at}.match.proxy.proxyVersion`,
  ],
  ['a class of filters', patch({ patch: { operation: 'ADD', value, filterClass: 'AUTHZ' } })],
  [
    'a class without ADD',
    patch({ patch: { operation: 'MERGE', value, filterClass: 'AUTHZ' } }),
    `warning XEB0118 ${at}.patch.filterClass`,
  ],
  [
    'a route for a listener filter',
    patch({ applyTo: 'LISTENER_FILTER', match: { routeConfiguration: {} } }),
    `error XEB0702 ${at}.match.routeConfiguration`,
  ],
  [
    'a cluster for a listener',
    patch({ applyTo: 'LISTENER', match: { cluster: {} } }),
    `error XEB0702 ${at}.match.cluster`,
  ],
  [
    'a listener for a route',
    patch({ applyTo: 'HTTP_ROUTE', match: { listener: {} } }),
    `error XEB0702 ${at}.match.listener`,
  ],
  [
    'a listener for a cluster',
    patch({ applyTo: 'CLUSTER', match: { listener: {} } }),
    `error XEB0702 ${at}.match.listener`,
  ],
  [
    'a route for a virtual host',
    patch({
      applyTo: 'VIRTUAL_HOST',
      match: { routeConfiguration: { vhost: { name: 'a:80', route: { action: 'ANY' } } } },
    }),
  ],
  ['two matches', patch({ match: { listener: {}, cluster: {} } }), `error XEB0005 ${at}.match.cluster`],
  ['a filter', filter({ name: manager, subFilter: { name: 'envoy.filters.http.router' } })],
  ['a filter by its old name', filter({ name: 'envoy.http_connection_manager', subFilter: { name: 'a' } })],
  ['a filter without name', filter({}), `error XEB0703 ${at}.match.listener.filterChain.filter.name`],
  [
    'a sub-filter elsewhere',
    filter({ name: 'envoy.tcp_proxy', subFilter: { name: 'a' } }),
    `error XEB0703 ${at}.match.listener.filterChain.filter.subFilter`,
  ],
  [
    'a sub-filter without name',
    filter({ name: manager, subFilter: {} }),
    `error XEB0703 ${at}.match.listener.filterChain.filter.subFilter.name`,
  ],
  [
    'a sub-filter of a network filter',
    filter({ name: manager, subFilter: { name: 'a' } }, 'NETWORK_FILTER'),
    `error XEB0703 ${at}.match.listener.filterChain.filter.subFilter`,
  ],
  [
    'a filter of a listener',
    filter({ name: 'a' }, 'LISTENER'),
    `warning XEB0118 ${at}.match.listener.filterChain.filter`,
  ],
  ['a waypoint', patch({ match: { context: 'WAYPOINT', waypoint: { portNumber: 80 } } })],
  [
    'a waypoint elsewhere',
    patch({ match: { context: 'GATEWAY', waypoint: {} } }),
    `error XEB0702 ${at}.match.waypoint`,
  ],
  [
    'a listener at a waypoint',
    patch({ match: { context: 'WAYPOINT', listener: {} } }),
    `error XEB0702 ${at}.match.listener`,
  ],
  [
    'a waypoint of no port',
    patch({ match: { context: 'WAYPOINT', waypoint: { portNumber: 65_536 } } }),
    `error XEB0105 ${at}.match.waypoint.portNumber`,
  ],
  ['a target', { ...patch({}), targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'a' }] }],
  [
    'a bad target',
    { ...patch({}), targetRefs: [{ kind: 'Pod', namespace: 'b' }] },
    'error XEB0705 spec.targetRefs[0].name',
    'error XEB0705 spec.targetRefs[0].namespace',
    'error XEB0705 spec.targetRefs[0].kind',
  ],
  [
    'a target and a selector',
    { ...patch({}), workloadSelector: { labels: { a: 'b' } }, targetRefs: [{ kind: 'Service', name: 'a' }] },
    'error XEB0705 spec.targetRefs',
  ],
  ['a selector without labels', { ...patch({}), workloadSelector: {} }, 'warning XEB0117 spec.workloadSelector.labels'],
  ['a classic filter', classic({ insertPosition: { index: 'AFTER', relativeTo: 'b' } }), old],
  [
    'a classic filter after nothing',
    classic({ insertPosition: { index: 'AFTER' } }),
    old,
    'error XEB0704 spec.filters[0].insertPosition.relativeTo',
  ],
  [
    'a classic filter before nothing',
    classic({ insertPosition: { index: 'BEFORE' } }),
    old,
    'error XEB0704 spec.filters[0].insertPosition.relativeTo',
  ],
  [
    'a classic filter of nothing',
    { filters: [{}] },
    old,
    'error XEB0704 spec.filters[0].filterType',
    'error XEB0704 spec.filters[0].filterName',
    'error XEB0704 spec.filters[0].filterConfig',
  ],
  ['classic labels', { ...classic({}), workloadLabels: { a: 'b' } }, 'warning IST0002 spec.workloadLabels', old],
];

describe('EnvoyFilter', () => {
  it.each(cases)('%s', (_name, spec, ...issues) => {
    expect(judge('EnvoyFilter', spec)).toEqual(issues);
  });

  it('leaves the value as it is, whatever its keys', () => {
    expect(
      judge(
        'EnvoyFilter',
        patch({ patch: { operation: 'ADD', value: { typed_config: { '@type': 'a', list: [1, null] } } } }),
      ),
    ).toEqual([]);
  });
});
