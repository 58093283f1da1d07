import type { Issue } from '../issue.ts';
import { issuesOf, parseBody } from '../schema/parse.ts';
import { defaultMeshConfig } from './default-mesh-config.ts';
import { type MeshConfig, type MeshConfigSpec, meshConfigSchema } from './mesh-config.ts';
import { type MeshProxyConfig, type MeshProxyConfigSpec, meshProxyConfigSchema } from './proxy-config.ts';
import { validateMeshConfig } from './validate-mesh-config.ts';
import { validateMeshProxyConfig } from './validate-proxy-config.ts';

/** A mesh configuration, completed; absent when an issue is an error, and then the one from before stays in force. */
export type ParsedMeshConfig = { readonly config: MeshConfig | undefined; readonly issues: readonly Issue[] };

/** Reads what the `mesh` key of the `istio` ConfigMap holds, once its YAML is read. Nothing at all means the defaults. */
export function parseMeshConfig(body: unknown): ParsedMeshConfig {
  const parsed = parseBody(meshConfigSchema, body ?? {}, []);
  const draft = parsed.draft === undefined ? undefined : completeMesh(parsed.draft);
  const issues = issuesOf({ ...parsed, draft }, validateMeshConfig);
  return { config: issues.some(isError) ? undefined : draft, issues };
}

/** What a pod says in its `proxy.istio.io/config` annotation: only the fields it changes. */
export type ParsedProxyConfig = { readonly config: MeshProxyConfigSpec | undefined; readonly issues: readonly Issue[] };

export function parseMeshProxyConfig(body: unknown, mesh: MeshProxyConfig): ParsedProxyConfig {
  const parsed = parseBody(meshProxyConfigSchema, body ?? {}, []);
  const issues = issuesOf(parsed, (draft) => validateMeshProxyConfig(completeProxy(draft, mesh), undefined));
  return { config: issues.some(isError) ? undefined : parsed.spec, issues };
}

function completeMesh(given: MeshConfigSpec): MeshConfig {
  const { outboundTrafficPolicy: outbound, defaultConfig, rootNamespace, trustDomain, ...fields } = given;
  return overlay(defaultMeshConfig, {
    ...fields,
    // Empty text is what an unset field looks like in Istio's own rendering.
    rootNamespace: rootNamespace || undefined,
    trustDomain: trustDomain || undefined,
    // Given without a mode it means the mode's zero value, as Istio 1.4 reads it.
    outboundTrafficPolicy: outbound && { mode: outbound.mode ?? 'REGISTRY_ONLY' },
    defaultConfig: defaultConfig && completeProxy(defaultConfig, defaultMeshConfig.defaultConfig),
  });
}

/** `given` over `base`, field by field; of service cluster and tracing service name the given one counts. */
export function completeProxy(given: MeshProxyConfigSpec, base: MeshProxyConfig): MeshProxyConfig {
  const { serviceCluster, ...rest } = base;
  return overlay(given.tracingServiceName === undefined ? base : rest, given);
}

type Overlay<Base> = { readonly [Member in keyof Base]?: Base[Member] | undefined };

function overlay<Base extends object>(base: Base, given: Overlay<Base>): Base {
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...base, ...Object.fromEntries(set) };
}

function isError({ level }: Issue): boolean {
  return level === 'error';
}
