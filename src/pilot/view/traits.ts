import { parseDuration } from '../../apis/duration.ts';
import { memoByIdentity } from '../../kit/memo.ts';
import { sortedEntries } from '../../kit/order.ts';
import type { MeshVirtualService } from '../../model/mesh-snapshot.ts';
import type { Proxy } from '../../model/proxy.ts';
import type { Workload } from '../../model/service.ts';
import type { SidecarScope } from '../scope/scope.ts';
import type { ClientPlace } from '../translate/endpoint/place.ts';
import type { ProxyTraits } from '../translate/plan.ts';
import { NETWORK_LABEL, NODE_LABEL } from '../translate/policy/locality-lb.ts';

/** Pods come and go with labels of their own; beyond so many the old ones are forgotten, which costs building them again. */
const LIMIT = 10_000;

/** Makes one object of all records with one content, so that equal proxies share what is keyed by it. */
export class Interned<T extends object> {
  readonly #known = new Map<string, T>();

  get(record: T): { readonly key: string; readonly value: T } {
    const key = JSON.stringify(record);
    const known = this.#known.get(key);
    if (known !== undefined) return { key, value: known };
    if (this.#known.size >= LIMIT) this.#known.clear();
    this.#known.set(key, record);
    return { key, value: record };
  }
}

/** What translation reads of a proxy; of its labels only those that a rule in scope asks for. */
export function traitsOf(proxy: Proxy, virtualServices: readonly MeshVirtualService[]): ProxyTraits {
  const { kind, namespace, dnsDomain, interception, dnsCapture, http10, identityFolder } = proxy;
  const asked = askedLabels(virtualServices);
  const labels = Object.fromEntries(sortedEntries(proxy.labels).filter(([name]) => asked.has(name)));
  return {
    kind,
    namespace,
    dnsDomain,
    interception,
    dnsCapture,
    http10,
    identityFolder,
    isProven: proxy.identity?.namespace === namespace,
    idleTimeout: idleTimeoutOf(proxy),
    labels,
  };
}

/** What says no duration that Envoy takes says nothing. */
function idleTimeoutOf({ metadata }: Proxy): string {
  const text = metadata['IDLE_TIMEOUT'];
  if (typeof text !== 'string') return '';
  const parsed = parseDuration(text);
  return parsed.ok && parsed.value >= 0 ? text : '';
}

/** Where a proxy is, as far as somebody asks: pods of one zone differ in much that nobody asks for. */
export function placeOf(proxy: Proxy, workload: Workload | undefined, asked: ReadonlySet<string>): ClientPlace {
  const network = proxy.network === '' ? (workload?.network ?? '') : proxy.network;
  return {
    locality: proxy.locality ?? workload?.locality,
    network: asked.has(NETWORK_LABEL) ? network : '',
    node: asked.has(NODE_LABEL) ? workload?.node : undefined,
    labels: Object.fromEntries(sortedEntries(proxy.labels).filter(([name]) => asked.has(name))),
  };
}

const askedLabels = memoByIdentity((virtualServices: readonly MeshVirtualService[]): ReadonlySet<string> => {
  return new Set(virtualServices.flatMap((virtualService) => askedBy(virtualService)));
});

const askedBy = memoByIdentity(({ http, tls, tcp }: MeshVirtualService): readonly string[] =>
  [...http, ...tls, ...tcp].flatMap(({ spec }) =>
    (spec.match ?? []).flatMap((match) => Object.keys(match.sourceLabels ?? {})),
  ),
);

/** Says which rules for chosen workloads a workload gets: equal keys in one scope mean the same rules. */
export function rulesKeyOf({ workloadRules }: SidecarScope, labels: Readonly<Record<string, string>>): string {
  if (workloadRules.size === 0) return '';
  return JSON.stringify(labelsOfSelectors(workloadRules).map((name) => labels[name] ?? null));
}

const labelsOfSelectors = memoByIdentity((rules: SidecarScope['workloadRules']): readonly string[] => {
  const selectors = [...rules.values()].flat().map(({ workloadSelector }) => workloadSelector?.matchLabels ?? {});
  return [...new Set(selectors.flatMap((labels) => Object.keys(labels)))].sort();
});
