import type { MeshSecurity } from '../../../model/mesh-security.ts';

/** A mesh in which nothing is protected but by what is given. */
export function meshSecurity(more: Partial<MeshSecurity> = {}): MeshSecurity {
  return {
    PeerAuthentication: [],
    RequestAuthentication: [],
    AuthorizationPolicy: [],
    Policy: [],
    MeshPolicy: [],
    ServiceRole: [],
    ServiceRoleBinding: [],
    RbacConfig: [],
    ClusterRbacConfig: [],
    rootNamespace: 'istio-system',
    trustDomains: ['cluster.local'],
    extensionProviders: [],
    authorizers: new Map(),
    hasRawPaths: false,
    keys: new Map(),
    ...more,
  };
}
