import type { Diagnostic } from '../../model/diagnostic.ts';
import { type ConfigObject, refOf, renderRef } from '../../model/object.ts';
import { type Analyzer, about } from './analyzer.ts';

type VirtualService = ConfigObject<'VirtualService'>;
type Link = { readonly to: string; readonly path: Diagnostic['path'] };

/** A VirtualService delegates to one that is not there, that is no delegate, or that leads back to it. */
export const delegates: Analyzer = {
  name: 'delegates',
  run: ({ snapshot: { objects } }) => {
    const byName = new Map(objects.VirtualService.map((object) => [nameOf(object), object]));
    return objects.VirtualService.flatMap((object) =>
      linksOf(object).flatMap((link) => checkLink(object, link, byName)),
    );
  },
};

function checkLink(
  object: VirtualService,
  link: Link,
  byName: ReadonlyMap<string, VirtualService>,
): readonly Diagnostic[] {
  const target = byName.get(link.to);
  if (target === undefined) {
    const message = `there is no VirtualService ${link.to} that can be used: create it, correct the name, or repair it`;
    return [about(object, { code: 'IST0101', level: 'error', path: link.path, message })];
  }
  const circle = findCircle(nameOf(object), link.to, byName);
  if (circle !== undefined) {
    const message = `delegates in a circle (${circle.join(' → ')}): its routes are never reached; remove one delegate`;
    return [about(object, { code: 'XEB1101', level: 'error', path: link.path, message })];
  }
  if ((target.spec.hosts ?? []).length === 0) return [];
  const message = `${renderRef(refOf(target))} has hosts, so it cannot be delegated to: remove its hosts`;
  return [about(object, { code: 'XEB1102', level: 'error', path: link.path, message })];
}

/** The way from `to` back to `from`, both included. */
function findCircle(
  from: string,
  to: string,
  byName: ReadonlyMap<string, VirtualService>,
): readonly string[] | undefined {
  const cameFrom = new Map<string, string>([[to, from]]);
  const queue = [to];
  for (let at = queue.shift(); at !== undefined; at = queue.shift()) {
    if (at === from) return wayTo(from, cameFrom);
    const object = byName.get(at);
    for (const link of object === undefined ? [] : linksOf(object)) {
      if (cameFrom.has(link.to)) continue;
      cameFrom.set(link.to, at);
      queue.push(link.to);
    }
  }
  return undefined;
}

function wayTo(end: string, cameFrom: ReadonlyMap<string, string>): readonly string[] {
  const way = [end];
  for (let at = cameFrom.get(end); at !== undefined && at !== end; at = cameFrom.get(at)) way.unshift(at);
  return [end, ...way];
}

function linksOf({ meta, spec }: VirtualService): readonly Link[] {
  return (spec.http ?? []).flatMap(({ delegate }, index) => {
    if (delegate?.name === undefined || delegate.name === '') return [];
    const to = `${delegate.namespace || meta.namespace}/${delegate.name}`;
    return [{ to, path: ['spec', 'http', index, 'delegate'] }];
  });
}

function nameOf({ meta }: VirtualService): string {
  return `${meta.namespace}/${meta.name}`;
}
