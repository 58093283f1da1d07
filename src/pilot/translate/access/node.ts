import { anyOf } from '../../../gen/codec.ts';
import type {
  CidrRange,
  HeaderMatcher,
  MetadataMatcher,
  Permission,
  Principal,
  StringMatcher,
} from '../../../gen/types.ts';

/** What is asked of a request. Envoy writes some of it as permissions, some as principals, and most as either. */
export type MatchNode =
  | { readonly kind: 'all' | 'any'; readonly nodes: readonly MatchNode[] }
  | { readonly kind: 'not'; readonly node: MatchNode }
  | { readonly kind: 'header'; readonly matcher: HeaderMatcher }
  | { readonly kind: 'path'; readonly matcher: StringMatcher }
  | { readonly kind: 'metadata'; readonly matcher: MetadataMatcher }
  | { readonly kind: 'template'; readonly template: string }
  | { readonly kind: 'destination-ip' | 'source-ip' | 'remote-ip'; readonly range: CidrRange }
  | { readonly kind: 'destination-port'; readonly port: number }
  | { readonly kind: 'sni'; readonly matcher: StringMatcher }
  | { readonly kind: 'peer'; readonly matcher: StringMatcher };

export function all(nodes: readonly MatchNode[]): MatchNode {
  const [only] = nodes;
  return nodes.length === 1 && only !== undefined ? only : { kind: 'all', nodes };
}

export function any(nodes: readonly MatchNode[]): MatchNode {
  const [only] = nodes;
  return nodes.length === 1 && only !== undefined ? only : { kind: 'any', nodes };
}

export function not(node: MatchNode): MatchNode {
  return node.kind === 'not' ? node.node : { kind: 'not', node };
}

type Leaf = Exclude<MatchNode, { readonly kind: 'all' | 'any' | 'not' }>;
type SharedLeaf = Extract<Leaf, { readonly kind: 'header' | 'path' | 'metadata' }>;

/** Nothing asked is everything; Envoy refuses empty sets. */
export function toPermission(node: MatchNode): Permission {
  switch (node.kind) {
    case 'all':
      return node.nodes.length === 0 ? { any: true } : { andRules: { rules: node.nodes.map(toPermission) } };
    case 'any':
      return node.nodes.length === 0
        ? { notRule: { any: true } }
        : { orRules: { rules: node.nodes.map(toPermission) } };
    case 'not':
      return { notRule: toPermission(node.node) };
    default:
      return isShared(node) ? sharedLeaf(node) : permissionLeaf(node);
  }
}

export function toPrincipal(node: MatchNode): Principal {
  switch (node.kind) {
    case 'all':
      return node.nodes.length === 0 ? { any: true } : { andIds: { ids: node.nodes.map(toPrincipal) } };
    case 'any':
      return node.nodes.length === 0 ? { notId: { any: true } } : { orIds: { ids: node.nodes.map(toPrincipal) } };
    case 'not':
      return { notId: toPrincipal(node.node) };
    default:
      return isShared(node) ? sharedLeaf(node) : principalLeaf(node);
  }
}

function isShared(leaf: Leaf): leaf is SharedLeaf {
  return leaf.kind === 'header' || leaf.kind === 'path' || leaf.kind === 'metadata';
}

function sharedLeaf(leaf: SharedLeaf): Permission & Principal {
  switch (leaf.kind) {
    case 'header':
      return { header: leaf.matcher };
    case 'path':
      return { urlPath: { path: leaf.matcher } };
    case 'metadata':
      return { sourcedMetadata: { metadataMatcher: leaf.matcher } };
  }
}

function permissionLeaf(leaf: Exclude<Leaf, SharedLeaf>): Permission {
  switch (leaf.kind) {
    case 'template':
      return { uriTemplate: templateExtension(leaf.template) };
    case 'destination-ip':
      return { destinationIp: leaf.range };
    case 'destination-port':
      return { destinationPort: leaf.port };
    case 'sni':
      return { requestedServerName: leaf.matcher };
    default:
      throw new Error(`${leaf.kind} is asked of principals`);
  }
}

function principalLeaf(leaf: Exclude<Leaf, SharedLeaf>): Principal {
  switch (leaf.kind) {
    case 'source-ip':
      return { directRemoteIp: leaf.range };
    case 'remote-ip':
      return { remoteIp: leaf.range };
    case 'peer':
      return { authenticated: { principalName: leaf.matcher } };
    default:
      throw new Error(`${leaf.kind} is asked of permissions`);
  }
}

function templateExtension(pathTemplate: string): NonNullable<Permission['uriTemplate']> {
  const type = 'envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig';
  return { name: 'uri_template', typedConfig: anyOf(type, { pathTemplate }) };
}
