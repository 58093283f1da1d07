import { keepIfSame, sameFields } from '../../kit/memo.ts';
import type { ConfigSnapshot } from '../../model/config-snapshot.ts';
import type { KeyBook, MeshSecurity } from '../../model/mesh-security.ts';
import type { MeshSnapshot } from '../../model/mesh-snapshot.ts';
import { keepIfSameValue } from '../registry/same-value.ts';
import { trustDomainsOf } from '../translate/peer/settings.ts';
import { locateAuthorizers } from './authorizer-places.ts';

/** Gathers what protects workloads, and keeps the same object while none of it moves. */
export class SecurityIndex {
  #security: MeshSecurity | undefined;
  #domains: readonly string[] = [];
  #providers: MeshSecurity['extensionProviders'] = [];
  #authorizers: MeshSecurity['authorizers'] = new Map();

  update(
    { objects, mesh }: ConfigSnapshot,
    services: Pick<MeshSnapshot, 'servicesByHostname'>,
    keys: KeyBook,
  ): MeshSecurity {
    this.#domains = keepIfSameValue(this.#domains, trustDomainsOf(mesh));
    this.#providers = keepIfSameValue(this.#providers, mesh.extensionProviders ?? []);
    this.#authorizers = keepIfSameValue(this.#authorizers, locateAuthorizers(this.#providers, services));
    const known = this.#security;
    const kept = known ?? objects;
    const next: MeshSecurity = {
      PeerAuthentication: keepIfSame(kept.PeerAuthentication, objects.PeerAuthentication),
      RequestAuthentication: keepIfSame(kept.RequestAuthentication, objects.RequestAuthentication),
      AuthorizationPolicy: keepIfSame(kept.AuthorizationPolicy, objects.AuthorizationPolicy),
      Policy: keepIfSame(kept.Policy, objects.Policy),
      MeshPolicy: keepIfSame(kept.MeshPolicy, objects.MeshPolicy),
      ServiceRole: keepIfSame(kept.ServiceRole, objects.ServiceRole),
      ServiceRoleBinding: keepIfSame(kept.ServiceRoleBinding, objects.ServiceRoleBinding),
      RbacConfig: keepIfSame(kept.RbacConfig, objects.RbacConfig),
      ClusterRbacConfig: keepIfSame(kept.ClusterRbacConfig, objects.ClusterRbacConfig),
      rootNamespace: mesh.rootNamespace,
      trustDomains: this.#domains,
      extensionProviders: this.#providers,
      authorizers: this.#authorizers,
      hasRawPaths: mesh.pathNormalization?.normalization === 'NONE',
      keys,
    };
    this.#security = known !== undefined && sameFields(known, next) ? known : next;
    return this.#security;
  }
}
