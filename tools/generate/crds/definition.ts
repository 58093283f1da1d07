// The CRD of a kind.

import type { PrinterColumn } from '../../../src/apis/collection.ts';
import type { Collection } from '../../../src/apis/collections.ts';
import { demandStructural } from './check-structural.ts';
import { descriptions } from './descriptions.ts';
import { buildSpecSchema, type JsonObject } from './spec-schema.ts';
import { statusSchema } from './status-schema.ts';

const annotations = { 'helm.sh/resource-policy': 'keep' };
const labels = {
  'app.kubernetes.io/name': 'xebec',
  'app.kubernetes.io/component': 'crds',
  'app.kubernetes.io/part-of': 'xebec',
  // Istio's own, which scripts select by.
  release: 'istio',
};

/** `kubectl get` of every kind ends with these. */
const columns: readonly PrinterColumn[] = [
  {
    name: 'Accepted',
    type: 'string',
    jsonPath: '.status.conditions[?(@.type=="Accepted")].status',
    description: 'Whether the object is valid and in force',
  },
  {
    name: 'Programmed',
    type: 'string',
    jsonPath: '.status.programmed',
    description: 'Proxies that took the object, of those that are meant to',
  },
  {
    name: 'Reason',
    type: 'string',
    jsonPath: '.status.conditions[?(@.type=="Programmed")].reason',
    description: 'Why it is programmed or not',
    priority: 1,
  },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Since when the object exists' },
];

/** A kind has one schema in all its versions, so nothing is converted: what is stored is read in any of them. */
export function buildDefinition(collection: Collection): JsonObject {
  const { group, kind, plural, shortNames, categories, scope, versions } = collection;
  const spec = describe(kind, buildSpecSchema(collection.schema));
  demandStructural(spec);
  demandStructural(statusSchema, 'status');
  const description = descriptions[kind]?.kind ?? '';
  const served = versions.map((name, index) => ({
    name,
    served: true,
    storage: index === 0,
    subresources: { status: {} },
    additionalPrinterColumns: [...collection.columns, ...columns].map(buildColumn),
    schema: {
      openAPIV3Schema: { type: 'object', description, properties: { spec, status: statusSchema } },
    },
  }));
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, labels, annotations },
    spec: {
      group,
      scope: scope === 'cluster' ? 'Cluster' : 'Namespaced',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        ...(shortNames.length > 0 && { shortNames }),
        categories,
      },
      conversion: { strategy: 'None' },
      versions: served,
    },
  };
}

/** The same schema with what `kubectl explain` says of its members: of each one something, and of nothing else. */
function describe(kind: string, spec: JsonObject): JsonObject {
  const texts = descriptions[kind]?.spec ?? {};
  const members = Object.entries(spec['properties'] ?? {});
  const unsaid = members.filter(([name]) => texts[name] === undefined).map(([name]) => name);
  const superfluous = Object.keys(texts).filter((name) => !members.some(([member]) => member === name));
  if (unsaid.length + superfluous.length > 0) {
    const fields = [...unsaid, ...superfluous].join(', ');
    throw new Error(`descriptions.ts and the schema of ${kind} do not have the same fields: ${fields}`);
  }
  const described = members.map(([name, member]) => [name, { description: texts[name], ...member }] as const);
  return { ...spec, properties: Object.fromEntries(described) };
}

function buildColumn({ name, type, jsonPath, description, priority }: PrinterColumn): JsonObject {
  return { name, type, jsonPath, description, ...(priority !== undefined && { priority }) };
}
