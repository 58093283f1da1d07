import type { LabelSelector } from '../../apis/mesh/mesh-config.ts';
import type { ConfigObject } from '../../model/object.ts';
import { type Labels, selects } from './label-index.ts';

export type DiscoveryInputs = {
  readonly selectors: readonly LabelSelector[];
  readonly namespaces: readonly ConfigObject<'Namespace'>[];
  readonly rootNamespace: string;
};

/** Decides which namespaces the mesh looks at; undefined looks at all. The root namespace always counts: it speaks for all. */
export function buildDiscovery({ selectors, namespaces, rootNamespace }: DiscoveryInputs): NamespaceFilter | undefined {
  if (selectors.length === 0) return undefined;
  const isChosen = (labels: Labels): boolean => selectors.some((selector) => selectsNamespace(selector, labels));
  const known = new Map(namespaces.map(({ meta }) => [meta.name, isChosen(meta.labels)]));
  // A folder may speak of a namespace that it does not define: such a one has no labels.
  const unknown = isChosen({});
  return { known: known.set(rootNamespace, true), unknown };
}

export type NamespaceFilter = { readonly known: ReadonlyMap<string, boolean>; readonly unknown: boolean };

/** Objects without a namespace are always seen. */
export function isDiscovered(filter: NamespaceFilter, namespace: string): boolean {
  return namespace === '' || (filter.known.get(namespace) ?? filter.unknown);
}

function selectsNamespace({ matchLabels = {}, matchExpressions = [] }: LabelSelector, labels: Labels): boolean {
  return selects(matchLabels, labels) && matchExpressions.every((expression) => holds(expression, labels));
}

type Expression = NonNullable<LabelSelector['matchExpressions']>[number];

/** An operator that Kubernetes does not know selects nothing. */
function holds({ key, operator, values = [] }: Expression, labels: Labels): boolean {
  const value = labels[key];
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}
