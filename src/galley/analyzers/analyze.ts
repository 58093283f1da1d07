import type { ConfigSnapshot } from '../../model/config-snapshot.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { type ObjectKey, objectKey } from '../../model/ids.ts';
import type { ConfigObject } from '../../model/object.ts';
import type { AnalysisInputs, Analyzer } from './analyzer.ts';
import { claimRouting } from './claim-routing.ts';
import { classicRoles } from './classic-roles.ts';
import { conflictingGateways } from './conflicting-gateways.ts';
import { conflictingHosts } from './conflicting-hosts.ts';
import { delegates } from './delegates.ts';
import { destinationRules } from './destination-rules.ts';
import { gatewayHosts } from './gateway-hosts.ts';
import { gatewayReferences } from './gateway-references.ts';
import { gatewayWorkloads } from './gateway-workloads.ts';
import { HostIndex } from './host-index.ts';
import { policyPorts } from './policy-ports.ts';
import { policyWorkloads } from './policy-workloads.ts';
import { serviceEntryAddresses } from './service-entry-addresses.ts';
import { virtualServiceDestinations } from './virtual-service-destinations.ts';
import { WorkloadIndex } from './workload-index.ts';

const DEFAULT_DOMAIN = 'cluster.local';
const SUPPRESS = 'galley.istio.io/analyze-suppress';

/** Every analyzer. A new one is a file and a line here. */
export const analyzers: readonly Analyzer[] = [
  gatewayReferences,
  virtualServiceDestinations,
  delegates,
  conflictingHosts,
  gatewayHosts,
  gatewayWorkloads,
  conflictingGateways,
  destinationRules,
  serviceEntryAddresses,
  policyWorkloads,
  policyPorts,
  classicRoles,
  claimRouting,
];

/** Checks all objects of a snapshot against each other. An object's annotation may suppress codes (`IST0101,IST0109` or `*`). */
export function analyze(snapshot: ConfigSnapshot, domain: string = DEFAULT_DOMAIN): readonly Diagnostic[] {
  const inputs: AnalysisInputs = {
    snapshot,
    domain,
    hosts: new HostIndex(snapshot, domain),
    workloads: new WorkloadIndex(snapshot),
  };
  const found = analyzers.flatMap((analyzer) => analyzer.run(inputs));
  const suppressed = suppressions(snapshot);
  return suppressed.size === 0 ? found : found.filter((diagnostic) => !isSuppressed(diagnostic, suppressed));
}

function suppressions({ objects }: ConfigSnapshot): ReadonlyMap<ObjectKey, ReadonlySet<string>> {
  const suppressed = new Map<ObjectKey, ReadonlySet<string>>();
  const analyzed: readonly (readonly ConfigObject[])[] = [
    objects.VirtualService,
    objects.Gateway,
    objects.DestinationRule,
    objects.ServiceEntry,
    objects.AuthorizationPolicy,
    objects.PeerAuthentication,
    objects.RequestAuthentication,
    objects.ServiceRole,
    objects.ServiceRoleBinding,
  ];
  for (const object of analyzed.flat()) {
    const codes = suppressedCodes(object);
    if (codes !== undefined) suppressed.set(object.key, codes);
  }
  return suppressed;
}

/** The codes that an object does not want to hear of. */
export function suppressedCodes({ meta }: ConfigObject): ReadonlySet<string> | undefined {
  const codes = meta.annotations[SUPPRESS];
  return codes === undefined ? undefined : new Set(codes.split(',').map((code) => code.trim()));
}

function isSuppressed({ code, object }: Diagnostic, suppressed: ReadonlyMap<ObjectKey, ReadonlySet<string>>): boolean {
  if (object === undefined) return false;
  return isAmong(suppressed.get(objectKey(object.kind, object.namespace, object.name)), code);
}

export function isAmong(suppressed: ReadonlySet<string> | undefined, code: string): boolean {
  return suppressed !== undefined && (suppressed.has('*') || suppressed.has(code));
}
