import { z } from 'zod';
import { int32, text, textMap } from '../schema/fields.ts';
import { workloadSelectorSchema } from './shared.ts';

export const proxyImageSchema = z.strictObject({ imageType: text.optional() });

/** The ProxyConfig kind; the mesh's own `defaultConfig` is `mesh/proxy-config.ts`. */
export const proxyConfigSchema = z.strictObject({
  selector: workloadSelectorSchema.optional(),
  concurrency: int32.optional(),
  environmentVariables: textMap.optional(),
  image: proxyImageSchema.optional(),
});
