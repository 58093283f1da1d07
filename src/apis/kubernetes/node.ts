import { z } from 'zod';
import type { Spec } from '../schema/spec.ts';
import { listOf, optionalText, textOrEmpty } from './schema.ts';

export const nodeSchema = z
  .object({
    spec: z.object({ podCIDR: optionalText, podCIDRs: listOf(z.string()) }).nullish(),
    status: z.object({ addresses: listOf(z.object({ type: textOrEmpty, address: textOrEmpty })) }).nullish(),
  })
  .transform(({ spec, status }) => ({
    addresses: status?.addresses ?? [],
    podCIDR: spec?.podCIDR,
    podCIDRs: spec?.podCIDRs ?? [],
  }));

export type NodeSpec = Spec<typeof nodeSchema>;
