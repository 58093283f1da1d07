import type { HttpRoute } from '../../apis/networking/networking.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { type ObjectKey, objectKey } from '../../model/ids.ts';
import type { Traced } from '../../model/mesh-snapshot.ts';
import { type ConfigObject, refOf } from '../../model/object.ts';
import { isVisibleIn, type Visibility } from '../../model/service.ts';
import { diagnose } from '../registry/diagnose.ts';
import { mergeMatches, mergeNames } from './merge-matches.ts';

/** A VirtualService without hosts, its names completed. */
export type Delegate = {
  readonly object: ConfigObject<'VirtualService'>;
  readonly http: readonly HttpRoute[];
  readonly visibility: Visibility;
};

export type DelegationInputs = {
  readonly root: ConfigObject<'VirtualService'>;
  /** The root's rules, their names completed. */
  readonly http: readonly HttpRoute[];
  readonly find: (key: ObjectKey) => Delegate | undefined;
};

export type Delegated = { readonly http: readonly Traced<HttpRoute>[]; readonly diagnostics: readonly Diagnostic[] };

type Delegation = NonNullable<HttpRoute['delegate']>;

export function delegateKeys({ meta, spec }: ConfigObject<'VirtualService'>): readonly ObjectKey[] {
  if (!hasHosts(spec)) return [];
  return (spec.http ?? []).flatMap(({ delegate }) => (delegate === undefined ? [] : [keyOf(delegate, meta.namespace)]));
}

export function hasHosts({ hosts }: ConfigObject<'VirtualService'>['spec']): boolean {
  return hosts !== undefined && hosts.length > 0;
}

/** Puts the delegates' rules where the root delegates. A rule that cannot be used is left out, and its owner is told. */
export function resolveDelegates({ root, http, find }: DelegationInputs): Delegated {
  const diagnostics: Diagnostic[] = [];
  const resolved = http.flatMap((route, index): readonly Traced<HttpRoute>[] => {
    if (route.delegate === undefined) return [traced(root, route, index)];
    const delegate = find(keyOf(route.delegate, root.meta.namespace));
    const problem = problemWith(delegate, route.delegate, root);
    if (problem !== undefined)
      diagnostics.push(diagnose({ ...problem, object: refOf(root), path: ['spec', 'http', index, 'delegate'] }));
    if (problem !== undefined || delegate === undefined) return [];
    return delegate.http.flatMap((leaf, leafIndex) => {
      const merged = leaf.delegate === undefined ? mergeRoutes(route, leaf) : undefined;
      if (merged !== undefined) return [traced(delegate.object, merged, leafIndex)];
      diagnostics.push(complainOfLeaf(delegate.object, leaf, leafIndex));
      return [];
    });
  });
  return { http: resolved, diagnostics };
}

/** What the delegate says counts; what it does not say is the root's. */
function mergeRoutes(root: HttpRoute, leaf: HttpRoute): HttpRoute | undefined {
  const match = mergeMatches(root.match, leaf.match);
  if (match === undefined) return undefined;
  const { delegate: _, ...inherited } = root;
  return { ...inherited, ...leaf, ...mergeNames(root.name, leaf.name), match };
}

function keyOf({ name = '', namespace }: Delegation, ownNamespace: string): ObjectKey {
  return objectKey('VirtualService', namespace || ownNamespace, name);
}

function traced(object: ConfigObject<'VirtualService'>, spec: HttpRoute, index: number): Traced<HttpRoute> {
  return { spec, object: refOf(object), path: `spec.http[${index}]` };
}

type Problem = Pick<Parameters<typeof diagnose>[0], 'level' | 'code' | 'message'>;

function problemWith(
  delegate: Delegate | undefined,
  { name = '', namespace }: Delegation,
  root: ConfigObject<'VirtualService'>,
): Problem | undefined {
  const title = `delegate ${namespace || root.meta.namespace}/${name}`;
  if (delegate === undefined) {
    return {
      level: 'warning',
      code: 'IST0101',
      message: `${title} does not exist, so this rule is not used; create it or remove the rule`,
    };
  }
  if (hasHosts(delegate.object.spec)) {
    return {
      level: 'warning',
      code: 'XEB2001',
      message: `${title} has hosts of its own, so this rule is not used; a delegate has none`,
    };
  }
  if (isVisibleIn(delegate.visibility, root.meta.namespace)) return undefined;
  return {
    level: 'warning',
    code: 'XEB2001',
    message: `${title} is not exported to namespace ${root.meta.namespace}, so this rule is not used; add that to its exportTo`,
  };
}

function complainOfLeaf(object: ConfigObject<'VirtualService'>, leaf: HttpRoute, index: number): Diagnostic {
  const place = { level: 'warning', object: refOf(object) } as const;
  if (leaf.delegate !== undefined) {
    const message =
      'a delegate cannot delegate again, so this rule is not used; let the first VirtualService delegate to both';
    return diagnose({ ...place, code: 'XEB2001', path: ['spec', 'http', index, 'delegate'], message });
  }
  const message =
    'no request can match both this rule and the one that delegates, so it is not used; make its match narrower than the other';
  return diagnose({ ...place, code: 'XEB2002', path: ['spec', 'http', index, 'match'], message });
}
