import { keepIfSame, KeyedMemo, latest } from '../../kit/memo.ts';
import type { ConfigObject } from '../../model/object.ts';
import { refOf } from '../../model/object.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { MeshSnapshot } from '../../model/mesh-snapshot.ts';
import type { EncodedResource } from '../../xds/resource.ts';
import type { EgressScope, SidecarScope } from '../scope/scope.ts';
import { clusterDefaults } from '../translate/cluster/defaults.ts';
import { buildBlackHoleCluster, buildInboundPassthroughCluster, buildPassthroughCluster } from '../translate/cluster/static.ts';
import { buildDnsListener, type DnsListenerInputs } from '../translate/dns/listener.ts';
import type { ClientPlace } from '../translate/endpoint/place.ts';
import type { ListenerSettings } from '../translate/filters/settings.ts';
import { fallThroughCluster } from '../translate/listener/fall-through.ts';
import { keepEqual } from '../translate/listener/keep-equal.ts';
import { buildOutboundListener, type OutboundListenerInputs } from '../translate/listener/outbound.ts';
import type { OutboundEgress, OutboundPlan, OutboundPlanInputs } from '../translate/listener/outbound-plan.ts';
import { planOutbound } from '../translate/listener/plan.ts';
import { buildVirtualOutbound, type VirtualOutboundInputs } from '../translate/listener/virtual-outbound.ts';
import type { ProxyTraits, ServiceAtPort } from '../translate/plan.ts';
import { assignmentOf, type ClusterContext, clustersOf } from './cluster-stage.ts';
import { encodeBuilt } from './encode.ts';
import { endpointsOf, headlessNames, headlessPorts } from './endpoint-lookup.ts';
import { membersOf } from './members.ts';
import { RouteStage } from './route-stage.ts';

export type OutboundInputs = {
  readonly mesh: MeshSnapshot;
  readonly scope: SidecarScope;
  readonly traits: ProxyTraits;
  readonly settings: ListenerSettings;
  readonly place: ClientPlace;
  readonly placeKey: string;
};

export type Outbound = {
  readonly clusters: readonly EncodedResource[];
  readonly assignments: readonly EncodedResource[];
  readonly listeners: readonly EncodedResource[];
  readonly routes: readonly EncodedResource[];
  readonly diagnostics: readonly Diagnostic[];
};
