import { z } from 'zod';
import { int32, protoEnum, struct, text, textList, textMap, uint32 } from '../schema/fields.ts';
import { envoyConfigMatchSchema } from './envoy-filter-match.ts';
import { workloadLabelSelectorSchema } from './shared.ts';

export const envoyPatchSchema = z.strictObject({
  operation: protoEnum([
    'INVALID',
    'MERGE',
    'ADD',
    'REMOVE',
    'INSERT_BEFORE',
    'INSERT_AFTER',
    'INSERT_FIRST',
    'REPLACE',
  ]).optional(),
  value: struct.optional(),
  filterClass: protoEnum(['UNSPECIFIED', 'AUTHN', 'AUTHZ', 'STATS']).optional(),
});

export const envoyConfigPatchSchema = z.strictObject({
  applyTo: protoEnum([
    'INVALID',
    'LISTENER',
    'FILTER_CHAIN',
    'NETWORK_FILTER',
    'HTTP_FILTER',
    'ROUTE_CONFIGURATION',
    'VIRTUAL_HOST',
    'HTTP_ROUTE',
    'CLUSTER',
    'EXTENSION_CONFIG',
    'BOOTSTRAP',
    'LISTENER_FILTER',
  ]).optional(),
  match: envoyConfigMatchSchema.optional(),
  patch: envoyPatchSchema.optional(),
});

/** 1.1's form of a patch: one filter, put into every listener that matches. */
export const classicFilterSchema = z.strictObject({
  listenerMatch: z
    .strictObject({
      portNumber: uint32.optional(),
      portNamePrefix: text.optional(),
      listenerType: protoEnum(['ANY', 'SIDECAR_INBOUND', 'SIDECAR_OUTBOUND', 'GATEWAY']).optional(),
      listenerProtocol: protoEnum(['ALL', 'HTTP', 'TCP']).optional(),
      address: textList.optional(),
    })
    .optional(),
  insertPosition: z
    .strictObject({
      index: protoEnum(['FIRST', 'LAST', 'BEFORE', 'AFTER']).optional(),
      relativeTo: text.optional(),
    })
    .optional(),
  filterType: protoEnum(['INVALID', 'HTTP', 'NETWORK']).optional(),
  filterName: text.optional(),
  filterConfig: struct.optional(),
});

export const policyTargetReferenceSchema = z.strictObject({
  group: text.optional(),
  kind: text.optional(),
  name: text.optional(),
  namespace: text.optional(),
});

export const envoyFilterSchema = z.strictObject({
  workloadSelector: workloadLabelSelectorSchema.optional(),
  targetRefs: z.array(policyTargetReferenceSchema).optional(),
  configPatches: z.array(envoyConfigPatchSchema).optional(),
  priority: int32.optional(),
  workloadLabels: textMap.optional(),
  filters: z.array(classicFilterSchema).optional(),
});
