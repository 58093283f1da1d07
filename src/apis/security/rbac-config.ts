import { z } from 'zod';
import { protoEnum, textList } from '../schema/fields.ts';
import { enforcementMode } from './service-role-binding.ts';

const targetSchema = z.strictObject({ services: textList.optional(), namespaces: textList.optional() });

/** RbacConfig and ClusterRbacConfig. */
export const rbacConfigSchema = z.strictObject({
  mode: protoEnum(['OFF', 'ON', 'ON_WITH_INCLUSION', 'ON_WITH_EXCLUSION']).optional(),
  inclusion: targetSchema.optional(),
  exclusion: targetSchema.optional(),
  enforcementMode: enforcementMode.optional(),
});
