import type { Headers, HttpRoute, HttpRouteDestination } from '../../../apis/networking/networking.ts';
import type { HeaderValueOption } from '../../../gen/types.ts';
import { HeaderValueOption_HeaderAppendAction } from '../../../gen/types.ts';
import { sortedEntries } from '../../../kit/order.ts';

/** What a route or destination does to headers, as Envoy's route and weighted cluster take it. */
export type HeaderFields = {
  readonly requestHeadersToAdd?: readonly HeaderValueOption[];
  readonly requestHeadersToRemove?: readonly string[];
  readonly responseHeadersToAdd?: readonly HeaderValueOption[];
  readonly responseHeadersToRemove?: readonly string[];
};

export type HeaderChanges = {
  readonly fields: HeaderFields;
  /** A new host, which Envoy does not take for a header. */
  readonly authority: string | undefined;
  /** Headers that Envoy lets nobody change. */
  readonly refused: readonly string[];
};

type Classic = Pick<
  HttpRoute & HttpRouteDestination,
  'appendRequestHeaders' | 'removeRequestHeaders' | 'appendResponseHeaders' | 'removeResponseHeaders'
> & { readonly headers?: Headers | undefined; readonly appendHeaders?: HttpRoute['appendHeaders'] };

type Operations = NonNullable<Headers['request']>;

export function buildHeaderChanges(spec: Classic): HeaderChanges {
  const request = merge(
    spec.headers?.request,
    [spec.appendHeaders, spec.appendRequestHeaders],
    spec.removeRequestHeaders,
  );
  const response = merge(spec.headers?.response, [spec.appendResponseHeaders], spec.removeResponseHeaders);
  return {
    fields: {
      ...(request.add.length > 0 ? { requestHeadersToAdd: request.add } : {}),
      ...(request.remove.length > 0 ? { requestHeadersToRemove: request.remove } : {}),
      ...(response.add.length > 0 ? { responseHeadersToAdd: response.add } : {}),
      ...(response.remove.length > 0 ? { responseHeadersToRemove: response.remove } : {}),
    },
    authority: request.authority,
    refused: [...request.refused, ...response.refused],
  };
}

/** Of a route and its only destination, in Envoy's order of the two where there are many destinations. */
export function joinHeaderFields(route: HeaderFields, destination: HeaderFields): HeaderFields {
  const joined = {
    requestHeadersToAdd: concat(destination.requestHeadersToAdd, route.requestHeadersToAdd),
    requestHeadersToRemove: concat(destination.requestHeadersToRemove, route.requestHeadersToRemove),
    responseHeadersToAdd: concat(destination.responseHeadersToAdd, route.responseHeadersToAdd),
    responseHeadersToRemove: concat(destination.responseHeadersToRemove, route.responseHeadersToRemove),
  };
  return Object.fromEntries(Object.entries(joined).filter(([, list]) => list.length > 0));
}

function concat<T>(first: readonly T[] = [], second: readonly T[] = []): readonly T[] {
  return [...first, ...second];
}

type Merged = {
  readonly add: readonly HeaderValueOption[];
  readonly remove: readonly string[];
  readonly authority: string | undefined;
  readonly refused: readonly string[];
};

function merge(
  operations: Operations | undefined,
  appended: readonly (Readonly<Record<string, string>> | undefined)[],
  removed: readonly string[] | undefined,
): Merged {
  const set = sortedEntries(operations?.set ?? {});
  const add = [operations?.add, ...appended].flatMap((values) => sortedEntries(values ?? {}));
  const remove = [...(operations?.remove ?? []), ...(removed ?? [])];
  const authority = [...set, ...add].find(([name]) => isHost(name))?.[1];
  return {
    add: [
      ...set
        .filter(isFree)
        .map((entry) => option(entry, HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD)),
      ...add.filter(isFree).map((entry) => option(entry, undefined)),
    ],
    remove: [...new Set(remove.filter((name) => isFree([name])))],
    authority,
    refused: [...remove.filter((name) => !isFree([name])), ...[...set, ...add].map(([name]) => name).filter(isPseudo)],
  };
}

type Named = readonly [name: string, ...rest: unknown[]];

function isFree([name]: Named): boolean {
  return !isHost(name) && !name.startsWith(':');
}

function isHost(name: string): boolean {
  const lower = name.toLowerCase();
  return lower === 'host' || lower === ':authority';
}

function isPseudo(name: string): boolean {
  return name.startsWith(':') && !isHost(name);
}

/** Appending is Envoy's default; an empty value is left out unless one says that it is meant. */
function option(
  [key, value]: readonly [string, string],
  appendAction: HeaderValueOption_HeaderAppendAction | undefined,
): HeaderValueOption {
  return {
    header: { key, value },
    ...(appendAction === undefined ? {} : { appendAction }),
    ...(value === '' ? { keepEmptyValue: true } : {}),
  };
}
