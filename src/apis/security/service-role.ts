import { z } from 'zod';
import { int32, text, textList } from '../schema/fields.ts';

/** A rule of a ServiceRole, also an action of a ServiceRoleBinding. */
export const accessRuleSchema = z.strictObject({
  services: textList.optional(),
  hosts: textList.optional(),
  notHosts: textList.optional(),
  paths: textList.optional(),
  notPaths: textList.optional(),
  methods: textList.optional(),
  notMethods: textList.optional(),
  ports: z.array(int32).optional(),
  notPorts: z.array(int32).optional(),
  constraints: z.array(z.strictObject({ key: text.optional(), values: textList.optional() })).optional(),
});

export const serviceRoleSchema = z.strictObject({ rules: z.array(accessRuleSchema).optional() });
