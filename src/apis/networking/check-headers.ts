import type { Field } from '../finding.ts';
import { checkChangedHeader, checkHeaderValue, isAuthorityHeader } from '../rules/matching.ts';
import type { Headers, HttpRoute, HttpRouteDestination } from './networking.ts';

type Operations = NonNullable<Headers['request']>;

/** What is done to headers, in the form of today and in the one of 1.0. */
export function checkHeaders(field: Field, holder: HttpRoute | HttpRouteDestination): void {
  checkOperations(field.at('headers', 'request'), holder.headers?.request, true);
  checkOperations(field.at('headers', 'response'), holder.headers?.response, false);
  checkValues(field.at('appendRequestHeaders'), holder.appendRequestHeaders, true);
  checkValues(field.at('appendResponseHeaders'), holder.appendResponseHeaders, false);
  checkNames(field.at('removeRequestHeaders'), holder.removeRequestHeaders);
  checkNames(field.at('removeResponseHeaders'), holder.removeResponseHeaders);
  if ('appendHeaders' in holder) checkValues(field.at('appendHeaders'), holder.appendHeaders, true);
}

/** Changing the authority in two places leaves open which change wins. */
export function checkAuthorityOnce(field: Field, { rewrite, headers }: HttpRoute): void {
  const places = rewrite?.authority ? ['rewrite.authority'] : [];
  for (const operation of ['set', 'add'] as const) {
    for (const name of Object.keys(headers?.request?.[operation] ?? {})) {
      if (isAuthorityHeader(name)) places.push(`headers.request.${operation}.${name}`);
    }
  }
  if (places.length < 2) return;
  field.warn('XEB0214', {
    problem: `sets the authority more than once: ${places.join(', ')}`,
    fix: 'keep one of them',
  });
}

function checkOperations(field: Field, operations: Operations | undefined, authority: boolean): void {
  if (operations === undefined) return;
  checkValues(field.at('set'), operations.set, authority);
  checkValues(field.at('add'), operations.add, authority);
  checkNames(field.at('remove'), operations.remove);
}

function checkValues(field: Field, values: Readonly<Record<string, string>> | undefined, authority: boolean): void {
  for (const [name, value] of Object.entries(values ?? {})) {
    checkChangedHeader(field.at(name), name, { authority });
    checkHeaderValue(field.at(name), value);
  }
}

function checkNames(field: Field, names: readonly string[] | undefined): void {
  for (const [index, name] of (names ?? []).entries()) checkChangedHeader(field.at(index), name, { authority: false });
}
