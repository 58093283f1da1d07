import { z } from 'zod';
import { protoEnum, text, textList, textMap } from '../schema/fields.ts';
import { accessRuleSchema } from './service-role.ts';

export const subjectSchema = z.strictObject({
  user: text.optional(),
  names: textList.optional(),
  notNames: textList.optional(),
  group: text.optional(),
  groups: textList.optional(),
  notGroups: textList.optional(),
  namespaces: textList.optional(),
  notNamespaces: textList.optional(),
  ips: textList.optional(),
  notIps: textList.optional(),
  properties: textMap.optional(),
});

export const enforcementMode = protoEnum(['ENFORCED', 'PERMISSIVE']);

export const serviceRoleBindingSchema = z.strictObject({
  subjects: z.array(subjectSchema).optional(),
  mode: enforcementMode.optional(),
  roleRef: z.strictObject({ kind: text.optional(), name: text.optional() }).optional(),
  role: text.optional(),
  actions: z.array(accessRuleSchema).optional(),
});
