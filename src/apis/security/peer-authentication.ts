import { z } from 'zod';
import { workloadSelectorSchema } from '../networking/shared.ts';
import { protoEnum } from '../schema/fields.ts';

export const mutualTlsSchema = z.strictObject({
  mode: protoEnum(['UNSET', 'DISABLE', 'PERMISSIVE', 'STRICT']).optional(),
});

export const peerAuthenticationSchema = z.strictObject({
  selector: workloadSelectorSchema.optional(),
  mtls: mutualTlsSchema.optional(),
  /** By the number of the workload's port. */
  portLevelMtls: z.record(z.string(), mutualTlsSchema).optional(),
});
