import { sameFields } from '../../kit/memo.ts';
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
    const next: MeshSecurity = {
      PeerAuthentication: objects.PeerAuthentication,
      RequestAuthentication: objects.RequestAuthentication,
      AuthorizationPolicy: objects.AuthorizationPolicy,
      Policy: objects.Policy,
      MeshPolicy: objects.MeshPolicy,
      ServiceRole: objects.ServiceRole,
      ServiceRoleBinding: objects.ServiceRoleBinding,
      RbacConfig: objects.RbacConfig,
      ClusterRbacConfig: objects.ClusterRbacConfig,
      rootNamespace: mesh.rootNamespace,
      trustDomains: this.#domains,
      extensionProviders: this.#providers,
      authorizers: this.#authorizers,
      hasRawPaths: mesh.pathNormalization?.normalization === 'NONE',
      keys,
    };
    this.#security = this.#security !== undefined && sameFields(this.#security, next) ? this.#security : next;
    return this.#security;
  }
}
