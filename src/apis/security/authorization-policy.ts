import { z } from 'zod';
import { policyTargetReferenceSchema } from '../networking/envoy-filter.ts';
import { workloadSelectorSchema } from '../networking/shared.ts';
import { protoEnum, text, textList } from '../schema/fields.ts';

/** Members join by and, entries of a list by or. */
export const sourceSchema = z.strictObject({
  principals: textList.optional(),
  notPrincipals: textList.optional(),
  requestPrincipals: textList.optional(),
  notRequestPrincipals: textList.optional(),
  namespaces: textList.optional(),
  notNamespaces: textList.optional(),
  serviceAccounts: textList.optional(),
  notServiceAccounts: textList.optional(),
  ipBlocks: textList.optional(),
  notIpBlocks: textList.optional(),
  remoteIpBlocks: textList.optional(),
  notRemoteIpBlocks: textList.optional(),
});

export const operationSchema = z.strictObject({
  hosts: textList.optional(),
  notHosts: textList.optional(),
  ports: textList.optional(),
  notPorts: textList.optional(),
  methods: textList.optional(),
  notMethods: textList.optional(),
  paths: textList.optional(),
  notPaths: textList.optional(),
});

export const conditionSchema = z.strictObject({
  key: text,
  values: textList.optional(),
  notValues: textList.optional(),
});

export const authorizationRuleSchema = z.strictObject({
  from: z.array(z.strictObject({ source: sourceSchema.optional() })).optional(),
  to: z.array(z.strictObject({ operation: operationSchema.optional() })).optional(),
  when: z.array(conditionSchema).optional(),
});

/** Without rules nothing matches; a rule without members matches every request. */
export const authorizationPolicySchema = z.strictObject({
  selector: workloadSelectorSchema.optional(),
  targetRef: policyTargetReferenceSchema.optional(),
  targetRefs: z.array(policyTargetReferenceSchema).optional(),
  rules: z.array(authorizationRuleSchema).optional(),
  action: protoEnum(['ALLOW', 'DENY', 'AUDIT', 'CUSTOM']).optional(),
  provider: z.strictObject({ name: text.optional() }).optional(),
});
