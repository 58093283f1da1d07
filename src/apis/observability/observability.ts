import type { Spec } from '../schema/spec.ts';
import type {
  accessLoggingSchema,
  customTagSchema,
  metricsOverrideSchema,
  metricsSchema,
  telemetrySchema,
  tracingSchema,
} from './telemetry.ts';
import type { trafficExtensionSchema } from './traffic-extension.ts';
import type { trafficSelectorSchema, wasmConfigSchema } from './wasm.ts';
import type { wasmPluginSchema } from './wasm-plugin.ts';

// The kinds of telemetry.istio.io and extensions.istio.io as the rest of xebec sees them: what the schemas beside this file
// parse to.

export type TelemetrySpec = Spec<typeof telemetrySchema>;
export type Tracing = Spec<typeof tracingSchema>;
export type CustomTag = Spec<typeof customTagSchema>;
export type Metrics = Spec<typeof metricsSchema>;
export type MetricsOverride = Spec<typeof metricsOverrideSchema>;
export type AccessLogging = Spec<typeof accessLoggingSchema>;

export type WasmPluginSpec = Spec<typeof wasmPluginSchema>;
export type TrafficExtensionSpec = Spec<typeof trafficExtensionSchema>;
export type WasmConfig = Spec<typeof wasmConfigSchema>;
export type TrafficSelector = Spec<typeof trafficSelectorSchema>;
