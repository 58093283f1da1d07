import { type CollectionFacts, type CollectionOf, istioCollection } from '../collection.ts';
import { authenticationPolicySchema } from './authentication-policy.ts';
import { authorizationPolicySchema } from './authorization-policy.ts';
import { peerAuthenticationSchema } from './peer-authentication.ts';
import { rbacConfigSchema } from './rbac-config.ts';
import { requestAuthenticationSchema } from './request-authentication.ts';
import type {
  AuthenticationPolicySpec,
  AuthorizationPolicySpec,
  PeerAuthenticationSpec,
  RbacConfigSpec,
  RequestAuthenticationSpec,
  ServiceRoleBindingSpec,
  ServiceRoleSpec,
} from './security.ts';
import { serviceRoleSchema } from './service-role.ts';
import { serviceRoleBindingSchema } from './service-role-binding.ts';
import { validateMeshPolicy, validatePolicy } from './validate-authentication-policy.ts';
import { validateAuthorizationPolicy } from './validate-authorization-policy.ts';
import { validatePeerAuthentication } from './validate-peer-authentication.ts';
import { validateClusterRbacConfig, validateRbacConfig } from './validate-rbac-config.ts';
import { validateRequestAuthentication } from './validate-request-authentication.ts';
import { validateServiceRole } from './validate-service-role.ts';
import { validateServiceRoleBinding } from './validate-service-role-binding.ts';

/** What the body of each kind parses to. */
export type SecuritySpecs = {
  readonly AuthorizationPolicy: AuthorizationPolicySpec;
  readonly PeerAuthentication: PeerAuthenticationSpec;
  readonly RequestAuthentication: RequestAuthenticationSpec;
  readonly Policy: AuthenticationPolicySpec;
  readonly MeshPolicy: AuthenticationPolicySpec;
  readonly ServiceRole: ServiceRoleSpec;
  readonly ServiceRoleBinding: ServiceRoleBindingSpec;
  readonly RbacConfig: RbacConfigSpec;
  readonly ClusterRbacConfig: RbacConfigSpec;
};

type Kind = keyof SecuritySpecs;
type Facts<K extends Kind> = CollectionFacts<K, SecuritySpecs[K]>;
type Row<K extends Kind> = Pick<Facts<K>, 'plural' | 'schema' | 'validate'> & Partial<Facts<K>>;

const common = {
  shortNames: [],
  columns: [],
  scope: 'namespaced',
  source: 'istio',
  // A rule without its `from` is for everybody (2022-001).
  unknownFields: 'refused',
} as const;

function security<K extends Kind>(kind: K, row: Row<K>): CollectionOf<K, SecuritySpecs[K]> {
  return istioCollection({
    kind,
    group: 'security.istio.io',
    categories: ['istio-io', 'security-istio-io'],
    versions: ['v1', 'v1beta1'],
    ...common,
    ...row,
  });
}

function authentication<K extends Kind>(kind: K, row: Row<K>): CollectionOf<K, SecuritySpecs[K]> {
  const categories = ['istio-io', 'authentication-istio-io'];
  return security(kind, { group: 'authentication.istio.io', categories, versions: ['v1alpha1'], ...row });
}

function rbac<K extends Kind>(kind: K, row: Row<K>): CollectionOf<K, SecuritySpecs[K]> {
  const categories = ['istio-io', 'rbac-istio-io'];
  return security(kind, { group: 'rbac.istio.io', categories, versions: ['v1alpha1'], ...row });
}

/** The kinds of `security.istio.io`, and the classic `authentication.istio.io` and `rbac.istio.io`. */
export const securityKinds: { readonly [K in Kind]: CollectionOf<K, SecuritySpecs[K]> } = {
  AuthorizationPolicy: security('AuthorizationPolicy', {
    plural: 'authorizationpolicies',
    shortNames: ['ap'],
    columns: [
      {
        name: 'Action',
        type: 'string',
        jsonPath: '.spec.action',
        description: 'What is done with requests that a rule matches.',
      },
    ],
    schema: authorizationPolicySchema,
    validate: validateAuthorizationPolicy,
  }),
  PeerAuthentication: security('PeerAuthentication', {
    plural: 'peerauthentications',
    shortNames: ['pa'],
    columns: [
      {
        name: 'Mode',
        type: 'string',
        jsonPath: '.spec.mtls.mode',
        description: 'Whether connections must be, may be or are not mutual TLS.',
      },
    ],
    schema: peerAuthenticationSchema,
    validate: validatePeerAuthentication,
  }),
  RequestAuthentication: security('RequestAuthentication', {
    plural: 'requestauthentications',
    shortNames: ['ra'],
    schema: requestAuthenticationSchema,
    validate: validateRequestAuthentication,
  }),
  Policy: authentication('Policy', {
    plural: 'policies',
    schema: authenticationPolicySchema,
    validate: validatePolicy,
  }),
  MeshPolicy: authentication('MeshPolicy', {
    plural: 'meshpolicies',
    scope: 'cluster',
    schema: authenticationPolicySchema,
    validate: validateMeshPolicy,
  }),
  ServiceRole: rbac('ServiceRole', {
    plural: 'serviceroles',
    schema: serviceRoleSchema,
    validate: validateServiceRole,
  }),
  ServiceRoleBinding: rbac('ServiceRoleBinding', {
    plural: 'servicerolebindings',
    columns: [
      {
        name: 'Reference',
        type: 'string',
        jsonPath: '.spec.roleRef.name',
        description: 'The ServiceRole that the subjects get.',
      },
    ],
    schema: serviceRoleBindingSchema,
    validate: validateServiceRoleBinding,
  }),
  RbacConfig: rbac('RbacConfig', {
    plural: 'rbacconfigs',
    schema: rbacConfigSchema,
    validate: validateRbacConfig,
  }),
  ClusterRbacConfig: rbac('ClusterRbacConfig', {
    plural: 'clusterrbacconfigs',
    scope: 'cluster',
    schema: rbacConfigSchema,
    validate: validateClusterRbacConfig,
  }),
};
