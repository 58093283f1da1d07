import type { PeerAuthenticationSpec } from '../../apis/security/security.ts';
import type { MeshSecurity } from '../../model/mesh-security.ts';
import { type ConfigObject, refOf } from '../../model/object.ts';
import type { Endpoint, ServiceTarget } from '../../model/service.ts';
import { compareAge } from '../registry/order.ts';
import type { InboundTlsMode } from '../translate/listener/inbound-match.ts';
import { modeOfPort, type PeerPlan } from '../translate/peer/plan.ts';
import type { Place } from '../translate/policy/diagnose.ts';
import {
  type ClassicNamespace,
  classicNamespaces,
  classicPort,
  classicStatement,
  type Statement,
} from './classic-peer.ts';
import type { Subject } from './subject.ts';

type PeerAuthentication = ConfigObject<'PeerAuthentication'>;
type RuleInputs = Pick<MeshSecurity, 'PeerAuthentication' | 'Policy' | 'MeshPolicy' | 'rootNamespace'>;
type Said = Omit<Subject, 'kind'>;

const noTargets: readonly ServiceTarget[] = [];

/**
 * What applies to a workload's ports. The narrower has the say: a port, a workload (classic: a port of a service, a service), its
 * namespace, the mesh; with one reach, PeerAuthentication comes before the classic policies. Of several objects with one reach the
 * oldest counts. Where nobody says anything both are taken, so that clients of the mesh use mutual TLS and others still come in.
 */
export class PeerRules {
  /** Whether some port may take no mutual TLS because somebody said so. */
  readonly mayDisable: boolean;
  /** Whether some port may take nothing but mutual TLS. */
  readonly mayBeStrict: boolean;
  /** Whether some policy is for services, so that it matters what a workload serves. */
  readonly namesServices: boolean;
  readonly #mesh: Statement | undefined;
  readonly #namespaces = new Map<string, Statement>();
  readonly #workloads: ReadonlyMap<string, readonly PeerAuthentication[]>;
  readonly #classic: ReadonlyMap<string, ClassicNamespace>;
  readonly #endpoints = new WeakMap<Endpoint, InboundTlsMode>();

  constructor({ PeerAuthentication, Policy, MeshPolicy, rootNamespace }: RuleInputs) {
    const oldestFirst = PeerAuthentication.toSorted(compareAge);
    this.#classic = classicNamespaces(Policy);
    this.namesServices = [...this.#classic.values()].some(({ targets }) => targets.length > 0);
    this.#workloads = Map.groupBy(oldestFirst.filter(isForWorkloads), ({ meta }) => meta.namespace);
    for (const [namespace, whole] of wholeNamespaces(oldestFirst)) {
      const statement = statementOf(whole);
      if (statement !== undefined) this.#namespaces.set(namespace, statement);
    }
    const classicMesh = MeshPolicy.find(({ meta }) => meta.name === 'default');
    this.#mesh =
      this.#namespaces.get(rootNamespace) ?? (classicMesh === undefined ? undefined : classicStatement(classicMesh));
    const modes = allModes(this.#mesh, this.#namespaces, oldestFirst, this.#classic);
    this.mayDisable = modes.has('DISABLE');
    this.mayBeStrict = modes.has('STRICT');
  }

  /** Gateways end connections by their Gateway objects, and gRPC clients by themselves: no policy is for them. */
  select(subject: Subject): PeerPlan {
    return subject.kind === 'sidecar' ? this.#plan(subject) : interned({ rest: undefined, ports: new Map() });
  }

  /** How the workload behind an endpoint takes connections to it. `targetsAt` gives what the workload at an address serves. */
  modeOf(endpoint: Endpoint, targetsAt: (address: string) => readonly ServiceTarget[] | undefined): InboundTlsMode {
    const asksServices = (this.#classic.get(endpoint.namespace)?.targets.length ?? 0) > 0;
    const known = asksServices ? undefined : this.#endpoints.get(endpoint);
    if (known !== undefined) return known;
    const { namespace, labels, address, port } = endpoint;
    const targets = asksServices ? (targetsAt(address) ?? noTargets) : noTargets;
    const mode = modeOfPort(this.#plan({ namespace, labels, targets }), port);
    if (!asksServices) this.#endpoints.set(endpoint, mode);
    return mode;
  }

  #plan(subject: Said): PeerPlan {
    const { namespace } = subject;
    const own = this.#workloadRule(subject);
    const classic = this.#classic.get(namespace);
    const beyond = this.#namespaces.get(namespace) ?? classic?.whole ?? this.#mesh;
    const whole = own && statementOf(own);
    const rest = whole ?? beyond;
    const ofServices = whole === undefined && classic !== undefined ? classicPorts(classic, subject) : [];
    const ofWorkload = own === undefined ? [] : portStatements(own);
    return interned({ rest, ports: new Map([...ofServices, ...ofWorkload]) });
  }

  #workloadRule({ namespace, labels }: Said): PeerAuthentication | undefined {
    return this.#workloads
      .get(namespace)
      ?.find(({ spec }) =>
        Object.entries(spec.selector?.matchLabels ?? {}).every(([name, value]) => labels[name] === value),
      );
  }
}

/** What policies for the services that lead to a workload say about its ports. Of several services that lead to one the oldest counts. */
function classicPorts(classic: ClassicNamespace, { namespace, targets }: Said): ReadonlyMap<number, Statement> {
  const ports = new Map<number, Statement>();
  for (const target of targets) {
    if (ports.has(target.targetPort) || target.service.namespace !== namespace) continue;
    const said = classicPort(classic, target);
    if (said !== undefined) ports.set(target.targetPort, said);
  }
  return ports;
}

/** Without labels a selector chooses everybody. */
export function isForWorkloads({ spec }: PeerAuthentication): boolean {
  return Object.keys(spec.selector?.matchLabels ?? {}).length > 0;
}

/** The oldest for each namespace as a whole. */
function wholeNamespaces(oldestFirst: readonly PeerAuthentication[]): ReadonlyMap<string, PeerAuthentication> {
  const found = new Map<string, PeerAuthentication>();
  for (const rule of oldestFirst) {
    if (!isForWorkloads(rule) && !found.has(rule.meta.namespace)) found.set(rule.meta.namespace, rule);
  }
  return found;
}

/** Nothing for UNSET, which leaves it to those beyond. */
function statementOf(rule: PeerAuthentication): Statement | undefined {
  const mode = modeIn(rule.spec.mtls);
  return mode === undefined ? undefined : { mode, place: { object: refOf(rule), path: 'spec.mtls.mode' } };
}

function portStatements(rule: PeerAuthentication): readonly (readonly [number, Statement])[] {
  return Object.entries(rule.spec.portLevelMtls ?? {}).flatMap(([port, mtls]) => {
    const mode = modeIn(mtls);
    const place = { object: refOf(rule), path: `spec.portLevelMtls.${port}.mode` };
    return mode === undefined ? [] : [[Number(port), { mode, place }] as const];
  });
}

function modeIn(mtls: PeerAuthenticationSpec['mtls']): InboundTlsMode | undefined {
  const { mode = 'UNSET' } = mtls ?? {};
  return mode === 'UNSET' ? undefined : mode;
}

function allModes(
  mesh: Statement | undefined,
  namespaces: ReadonlyMap<string, Statement>,
  rules: readonly PeerAuthentication[],
  classic: ReadonlyMap<string, ClassicNamespace>,
): ReadonlySet<InboundTlsMode> {
  const ofRules = rules.flatMap((rule) => [statementOf(rule), ...portStatements(rule).map(([, said]) => said)]);
  const ofClassic = [...classic.values()].flatMap(({ whole, targets }) => [
    whole,
    ...targets.map(({ statement }) => statement),
  ]);
  const all = [mesh, ...namespaces.values(), ...ofRules, ...ofClassic];
  return new Set(all.flatMap((statement) => statement?.mode ?? []));
}

type Draft = { readonly rest: Statement | undefined; readonly ports: ReadonlyMap<number, Statement> };

/** Beyond so many the old ones are forgotten, which costs building what is keyed by them again. */
const LIMIT = 10_000;
const plans = new Map<string, PeerPlan>();

/** One object for all that says the same, whoever asks and however the mesh moves elsewhere: views are told apart by it. */
function interned({ rest, ports }: Draft): PeerPlan {
  const mode = rest?.mode ?? 'PERMISSIVE';
  const unlike = [...ports].filter(([, statement]) => statement.mode !== mode).sort(([a], [b]) => a - b);
  const key = JSON.stringify([mode, rest?.place, unlike]);
  const known = plans.get(key);
  if (known !== undefined) return known;
  const plan: PeerPlan = {
    mode,
    ports: new Map(unlike.map(([port, statement]) => [port, statement.mode])),
    said: new Map<number | 'rest', Place>([
      ...unlike.map(([port, { place }]) => [port, place] as const),
      ...(rest === undefined ? [] : [['rest', rest.place] as const]),
    ]),
  };
  if (plans.size >= LIMIT) plans.clear();
  plans.set(key, plan);
  return plan;
}
