import type { Kind } from '../../apis/collections.ts';
import { memoByIdentity } from '../../kit/memo.ts';
import type { ConfigSnapshot, ObjectsByKind } from '../../model/config-snapshot.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { ConfigObject } from '../../model/object.ts';
import { isAmong, suppressedCodes } from './analyze.ts';
import type { Analyzer } from './analyzer.ts';
import { classicRoles } from './classic-roles.ts';
import { conflictingGateways } from './conflicting-gateways.ts';
import { conflictingHosts } from './conflicting-hosts.ts';
import { delegates } from './delegates.ts';
import { destinationRules } from './destination-rules.ts';
import { gatewayHosts } from './gateway-hosts.ts';
import { gatewayReferences } from './gateway-references.ts';
import { HostIndex } from './host-index.ts';
import { policyWorkloads } from './policy-workloads.ts';
import { serviceEntryAddresses } from './service-entry-addresses.ts';
import { virtualServiceDestinations } from './virtual-service-destinations.ts';
import { WorkloadIndex } from './workload-index.ts';

/** Which analyzers say something about one object of a kind: those that look at it alone, and those that compare it with its kind. */
type Concern = { readonly alone: readonly Analyzer[]; readonly amongAll: readonly Analyzer[] };

const concerns: Readonly<Partial<Record<Kind, Concern>>> = {
  VirtualService: {
    alone: [gatewayReferences, virtualServiceDestinations, gatewayHosts],
    amongAll: [delegates, conflictingHosts],
  },
  DestinationRule: { alone: [destinationRules], amongAll: [] },
  Gateway: { alone: [], amongAll: [conflictingGateways] },
  ServiceEntry: { alone: [], amongAll: [serviceEntryAddresses] },
  AuthorizationPolicy: { alone: [policyWorkloads], amongAll: [] },
  PeerAuthentication: { alone: [policyWorkloads], amongAll: [] },
  RequestAuthentication: { alone: [policyWorkloads], amongAll: [] },
  ServiceRole: { alone: [classicRoles], amongAll: [] },
  ServiceRoleBinding: { alone: [classicRoles], amongAll: [] },
};

/** Walking more objects than this takes longer than somebody who applies one wants to wait; `analyze` tells of it afterwards. */
const MOST_OBJECTS = 5_000;

const walked = [
  'VirtualService',
  'DestinationRule',
  'Gateway',
  'ServiceEntry',
  'AuthorizationPolicy',
  'PeerAuthentication',
  'RequestAuthentication',
  'ServiceRoleBinding',
  'Service',
  'Pod',
] as const;

/** Checks single objects against all others, before they are among them. */
export class CandidateAnalysis {
  readonly #domain: string;
  /** Made once for all objects that are applied while nothing else changes. */
  readonly #hosts: (snapshot: ConfigSnapshot) => HostIndex;
  readonly #workloads = memoByIdentity((snapshot: ConfigSnapshot) => new WorkloadIndex(snapshot));

  /** `domain` is that of the Kubernetes cluster's names. */
  constructor(domain: string) {
    this.#domain = domain;
    this.#hosts = memoByIdentity((snapshot: ConfigSnapshot) => new HostIndex(snapshot, domain));
  }

  /**
   * What would be questionable about an object beside all others, if it came (or replaced what goes by its name). Nothing in a
   * mesh that is too large to say it at once.
   */
  analyze(snapshot: ConfigSnapshot, object: ConfigObject): readonly Diagnostic[] {
    const concern = concerns[object.kind];
    const { objects } = snapshot;
    if (concern === undefined || walked.reduce((sum, kind) => sum + objects[kind].length, 0) > MOST_OBJECTS) return [];
    const indexes = {
      domain: this.#domain,
      hosts: this.#hosts(snapshot),
      workloads: this.#workloads(snapshot),
    };
    const run = (analyzers: readonly Analyzer[], list: readonly ConfigObject[]): readonly Diagnostic[] => {
      const inputs = { snapshot: { ...snapshot, objects: withList(objects, object.kind, list) }, ...indexes };
      return analyzers.flatMap((analyzer) => analyzer.run(inputs));
    };
    const found = [...run(concern.alone, [object]), ...run(concern.amongAll, placed(objects[object.kind], object))];
    const suppressed = suppressedCodes(object);
    return found.filter((diagnostic) => isAbout(diagnostic, object) && !isAmong(suppressed, diagnostic.code));
  }
}

function isAbout({ object }: Diagnostic, { kind, meta }: ConfigObject): boolean {
  return object?.kind === kind && object.name === meta.name && object.namespace === meta.namespace;
}

/** In the place of its earlier version; a new object is the youngest. */
function placed(list: readonly ConfigObject[], object: ConfigObject): readonly ConfigObject[] {
  const index = list.findIndex(({ key }) => key === object.key);
  return index < 0 ? [...list, object] : list.with(index, object);
}

function withList(objects: ObjectsByKind, kind: Kind, list: readonly ConfigObject[]): ObjectsByKind {
  return { ...objects, [kind]: list };
}
