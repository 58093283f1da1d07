import { z } from 'zod';
import { protoEnum, text, textList } from '../schema/fields.ts';
import { destinationSchema, portSchema, serverTlsSchema, workloadLabelSelectorSchema } from './shared.ts';
import { connectionPoolSchema } from './traffic-policy.ts';

const captureMode = protoEnum(['DEFAULT', 'IPTABLES', 'NONE']);

export const ingressListenerSchema = z.strictObject({
  port: portSchema,
  bind: text.optional(),
  captureMode: captureMode.optional(),
  defaultEndpoint: text.optional(),
  tls: serverTlsSchema.optional(),
  connectionPool: connectionPoolSchema.optional(),
});

export const egressListenerSchema = z.strictObject({
  port: portSchema.optional(),
  bind: text.optional(),
  captureMode: captureMode.optional(),
  hosts: textList,
});

export const outboundTrafficPolicySchema = z.strictObject({
  mode: protoEnum(['REGISTRY_ONLY', 'ALLOW_ANY']).optional(),
  egressProxy: destinationSchema.optional(),
});

export const sidecarSchema = z.strictObject({
  workloadSelector: workloadLabelSelectorSchema.optional(),
  ingress: z.array(ingressListenerSchema).optional(),
  egress: z.array(egressListenerSchema).optional(),
  inboundConnectionPool: connectionPoolSchema.optional(),
  outboundTrafficPolicy: outboundTrafficPolicySchema.optional(),
});
