import { compareText } from '../../kit/order.ts';
import type { ConfigObject } from '../../model/object.ts';
import type { Service } from '../../model/service.ts';

/** Oldest first, then by namespace and name. An object that does not say its age is the oldest. */
export function compareAge(a: ConfigObject, b: ConfigObject): number {
  return (
    createdAt(a) - createdAt(b) ||
    compareText(a.meta.namespace, b.meta.namespace) ||
    compareText(a.meta.name, b.meta.name) ||
    compareText(a.kind, b.kind)
  );
}

export function createdAt(object: ConfigObject): number {
  return object.meta.createdAt ?? 0;
}

/** Oldest first, then by key. */
export function compareServices(a: Service, b: Service): number {
  return a.createdAt - b.createdAt || compareText(a.key, b.key);
}
