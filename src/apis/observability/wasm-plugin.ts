import { z } from 'zod';
import { policyTargetReferenceSchema } from '../networking/envoy-filter.ts';
import { workloadSelectorSchema } from '../networking/shared.ts';
import { int32, protoEnum } from '../schema/fields.ts';
import { trafficSelectorSchema, wasmMembers } from './wasm.ts';

export const wasmPluginSchema = z.strictObject({
  selector: workloadSelectorSchema.optional(),
  targetRef: policyTargetReferenceSchema.optional(),
  targetRefs: z.array(policyTargetReferenceSchema).optional(),
  ...wasmMembers,
  phase: protoEnum(['UNSPECIFIED_PHASE', 'AUTHN', 'AUTHZ', 'STATS']).optional(),
  priority: int32.optional(),
  match: z.array(trafficSelectorSchema).optional(),
});
