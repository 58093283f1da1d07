import type { KubeApi, KubeObject, KubeResult, ResourceType, Selectors } from '../../kube/api.ts';

const PAGE = 250;

export type Wanted = Selectors & { readonly type: ResourceType; readonly namespace: string };

/** All objects, page by page. */
export async function listAll(
  kube: KubeApi,
  { type, ...where }: Wanted,
  signal: AbortSignal,
): Promise<KubeResult<readonly KubeObject[]>> {
  const items: KubeObject[] = [];
  let continueToken: string | undefined;
  do {
    const page = await kube.list(type, { ...where, limit: PAGE, continueToken }, signal);
    if (!page.ok) return page;
    items.push(...page.value.items);
    ({ continueToken } = page.value);
  } while (continueToken !== undefined);
  return { ok: true, value: items };
}
