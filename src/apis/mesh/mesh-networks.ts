import { z } from 'zod';
import { text, uint32 } from '../schema/fields.ts';
import { exactlyOne } from '../schema/oneof.ts';
import type { Spec } from '../schema/spec.ts';

const networkSchema = z.strictObject({
  endpoints: z
    .array(
      exactlyOne(z.strictObject({ fromCidr: text.optional(), fromRegistry: text.optional() }), [
        'fromCidr',
        'fromRegistry',
      ]),
    )
    .optional(),
  gateways: z
    .array(
      exactlyOne(
        z.strictObject({
          registryServiceName: text.optional(),
          address: text.optional(),
          port: uint32.optional(),
          locality: text.optional(),
        }),
        ['registryServiceName', 'address'],
      ),
    )
    .optional(),
});

export const meshNetworksSchema = z.strictObject({ networks: z.record(z.string(), networkSchema).optional() });

export type Network = Spec<typeof networkSchema>;
export type MeshNetworks = Spec<typeof meshNetworksSchema>;
