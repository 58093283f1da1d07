import type { ExtensionProvider } from '../../apis/mesh/extension-provider.ts';
import type { AuthorizerPlace } from '../../model/mesh-security.ts';
import type { MeshSnapshot } from '../../model/mesh-snapshot.ts';

type Services = Pick<MeshSnapshot, 'servicesByHostname'>;

/** Where the external authorizers of the mesh listen, by the name of their provider. Of two with one name the first counts. */
export function locateAuthorizers(
  providers: readonly ExtensionProvider[],
  services: Services,
): ReadonlyMap<string, AuthorizerPlace> {
  const places = new Map<string, AuthorizerPlace>();
  for (const { name, envoyExtAuthzGrpc, envoyExtAuthzHttp } of providers) {
    const settings = envoyExtAuthzGrpc ?? envoyExtAuthzHttp;
    if (name && settings !== undefined && !places.has(name)) places.set(name, locate(settings, services));
  }
  return places;
}

type Address = { readonly service?: string | undefined; readonly port?: number | undefined };

function locate({ service = '', port = 0 }: Address, { servicesByHostname }: Services): AuthorizerPlace {
  const slash = service.indexOf('/');
  const namespace = slash < 0 ? undefined : service.slice(0, slash);
  const hostname = service.slice(slash + 1).toLowerCase();
  const candidates = (servicesByHostname.get(hostname) ?? []).filter(
    (candidate) => namespace === undefined || candidate.namespace === namespace,
  );
  if (candidates.length === 0) return { kind: 'nowhere', reason: `there is no service ${service}` };
  const found = candidates.flatMap(({ ports }) => ports).find((candidate) => candidate.port === port);
  if (found === undefined) return { kind: 'nowhere', reason: `service ${service} has no port ${port}` };
  return { kind: 'somewhere', hostname, port, protocol: found.protocol };
}
