import { z } from 'zod';
import { portSelectorSchema } from '../networking/shared.ts';
import { protoEnum, struct, text } from '../schema/fields.ts';

/** Which traffic of a workload a plugin sees. */
export const trafficSelectorSchema = z.strictObject({
  mode: protoEnum(['UNDEFINED', 'CLIENT', 'SERVER', 'CLIENT_AND_SERVER']).optional(),
  ports: z.array(portSelectorSchema).optional(),
});

const vmConfigSchema = z.strictObject({
  env: z
    .array(
      z.strictObject({
        name: text.optional(),
        valueFrom: protoEnum(['INLINE', 'HOST']).optional(),
        value: text.optional(),
      }),
    )
    .optional(),
});

/** What WasmPlugin and TrafficExtension say of a module alike. */
export const wasmMembers = {
  url: text.optional(),
  sha256: text.optional(),
  imagePullPolicy: protoEnum(['UNSPECIFIED_POLICY', 'IfNotPresent', 'Always']).optional(),
  imagePullSecret: text.optional(),
  verificationKey: text.optional(),
  pluginConfig: struct.optional(),
  pluginName: text.optional(),
  failStrategy: protoEnum(['FAIL_CLOSE', 'FAIL_OPEN', 'FAIL_RELOAD']).optional(),
  vmConfig: vmConfigSchema.optional(),
  type: protoEnum(['UNSPECIFIED_PLUGIN_TYPE', 'HTTP', 'NETWORK']).optional(),
};

export const wasmConfigSchema = z.strictObject(wasmMembers);
