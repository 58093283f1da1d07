import type { ListOptions, ObjectName, ResourceType, Selectors, WatchOptions } from './api.ts';

type Query = Readonly<Record<string, string | undefined>>;

/** Where the objects of a type are: those of one namespace, or all. */
export function collectionPath(type: ResourceType, namespace: string): string {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  const scope = namespace === '' ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${scope}/${type.plural}`;
}

export function objectPath(type: ResourceType, { namespace, name }: ObjectName, subresource?: string): string {
  // A path with an empty last part would be that of the whole collection, and a DELETE there deletes everything.
  if (name === '') throw new Error(`an object of ${type.plural} without a name`);
  const path = `${collectionPath(type, namespace)}/${encodeURIComponent(name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

export function withQuery(path: string, query: Query): string {
  const text = new URLSearchParams(
    Object.entries(query).flatMap(([key, value]): [string, string][] => (value === undefined ? [] : [[key, value]])),
  ).toString();
  return text === '' ? path : `${path}?${text}`;
}

export function listPath(type: ResourceType, options: ListOptions): string {
  return withQuery(collectionPath(type, options.namespace), {
    ...selectorQuery(options),
    limit: String(options.limit),
    continue: options.continueToken,
  });
}

export function watchPath(type: ResourceType, options: WatchOptions): string {
  return withQuery(collectionPath(type, options.namespace), {
    ...selectorQuery(options),
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion: options.resourceVersion,
    timeoutSeconds: String(options.timeoutSeconds),
  });
}

function selectorQuery({ fieldSelector, labelSelector }: Selectors): Query {
  return { fieldSelector, labelSelector };
}
