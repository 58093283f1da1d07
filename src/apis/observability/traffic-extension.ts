import { z } from 'zod';
import { policyTargetReferenceSchema } from '../networking/envoy-filter.ts';
import { workloadSelectorSchema } from '../networking/shared.ts';
import { int32, protoEnum, text } from '../schema/fields.ts';
import { exactlyOne } from '../schema/oneof.ts';
import { trafficSelectorSchema, wasmConfigSchema } from './wasm.ts';

export const trafficExtensionSchema = exactlyOne(
  z.strictObject({
    selector: workloadSelectorSchema.optional(),
    targetRefs: z.array(policyTargetReferenceSchema).optional(),
    phase: protoEnum(['UNSPECIFIED', 'AUTHN', 'AUTHZ', 'STATS']).optional(),
    priority: int32.optional(),
    match: z.array(trafficSelectorSchema).optional(),
    wasm: wasmConfigSchema.optional(),
    lua: z.strictObject({ inlineCode: text.optional() }).optional(),
  }),
  ['wasm', 'lua'],
);
