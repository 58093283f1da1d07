import type { Spec } from '../schema/spec.ts';
import type { authenticationPolicySchema, classicJwtSchema, pathMatchSchema } from './authentication-policy.ts';
import type {
  authorizationPolicySchema,
  authorizationRuleSchema,
  conditionSchema,
  operationSchema,
  sourceSchema,
} from './authorization-policy.ts';
import type { peerAuthenticationSchema } from './peer-authentication.ts';
import type { rbacConfigSchema } from './rbac-config.ts';
import type { jwtRuleSchema, requestAuthenticationSchema } from './request-authentication.ts';
import type { accessRuleSchema, serviceRoleSchema } from './service-role.ts';
import type { serviceRoleBindingSchema, subjectSchema } from './service-role-binding.ts';

// The security kinds as the rest of xebec sees them: what the schemas beside this file parse to.

export type AuthorizationPolicySpec = Spec<typeof authorizationPolicySchema>;
export type AuthorizationRule = Spec<typeof authorizationRuleSchema>;
export type AuthorizationSource = Spec<typeof sourceSchema>;
export type AuthorizationOperation = Spec<typeof operationSchema>;
export type AuthorizationCondition = Spec<typeof conditionSchema>;
export type PeerAuthenticationSpec = Spec<typeof peerAuthenticationSchema>;
export type RequestAuthenticationSpec = Spec<typeof requestAuthenticationSchema>;
export type JwtRule = Spec<typeof jwtRuleSchema>;

/** Policy and MeshPolicy. A peer's `mtls` may be null, which means `{}`. */
export type AuthenticationPolicySpec = Spec<typeof authenticationPolicySchema>;
export type ClassicJwt = Spec<typeof classicJwtSchema>;
export type PathMatch = Spec<typeof pathMatchSchema>;

export type ServiceRoleSpec = Spec<typeof serviceRoleSchema>;
export type AccessRule = Spec<typeof accessRuleSchema>;
export type ServiceRoleBindingSpec = Spec<typeof serviceRoleBindingSchema>;
export type Subject = Spec<typeof subjectSchema>;
/** RbacConfig and ClusterRbacConfig. */
export type RbacConfigSpec = Spec<typeof rbacConfigSchema>;
