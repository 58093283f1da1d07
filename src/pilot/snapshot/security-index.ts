import { sameFields } from '../../kit/memo.ts';
import type { ConfigSnapshot } from '../../model/config-snapshot.ts';
import type { KeyBook, MeshSecurity } from '../../model/mesh-security.ts';
import { keepIfSameValue } from '../registry/same-value.ts';
import { trustDomainsOf } from '../translate/peer/settings.ts';

/** Gathers what protects workloads, and keeps the same object while none of it moves. */
export class SecurityIndex {
  #security: MeshSecurity | undefined;
  #domains: readonly string[] = [];
  #providers: MeshSecurity['extensionProviders'] = [];

  update({ objects, mesh }: ConfigSnapshot, keys: KeyBook): MeshSecurity {
    this.#domains = keepIfSameValue(this.#domains, trustDomainsOf(mesh));
    this.#providers = keepIfSameValue(this.#providers, mesh.extensionProviders ?? []);
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
      keys,
    };
    this.#security = this.#security !== undefined && sameFields(this.#security, next) ? this.#security : next;
    return this.#security;
  }
}
