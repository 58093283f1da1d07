import { type CollectionFacts, type CollectionOf, istioCollection } from '../collection.ts';
import { withoutEffectYet } from '../rules/no-effect-yet.ts';
import type { TelemetrySpec, TrafficExtensionSpec, WasmPluginSpec } from './observability.ts';
import { telemetrySchema } from './telemetry.ts';
import { trafficExtensionSchema } from './traffic-extension.ts';
import { validateTrafficExtension, validateWasmPlugin } from './validate-extensions.ts';
import { validateTelemetry } from './validate-telemetry.ts';
import { wasmPluginSchema } from './wasm-plugin.ts';

/** What the body of each kind parses to. */
export type ObservabilitySpecs = {
  readonly Telemetry: TelemetrySpec;
  readonly WasmPlugin: WasmPluginSpec;
  readonly TrafficExtension: TrafficExtensionSpec;
};

type Kind = keyof ObservabilitySpecs;
type Facts<K extends Kind> = CollectionFacts<K, ObservabilitySpecs[K]>;

function extension<K extends 'WasmPlugin' | 'TrafficExtension'>(
  kind: K,
  row: Pick<Facts<K>, 'plural' | 'schema' | 'validate'>,
): CollectionOf<K, ObservabilitySpecs[K]> {
  return istioCollection({
    kind,
    group: 'extensions.istio.io',
    shortNames: [],
    categories: ['istio-io', 'extensions-istio-io'],
    columns: [],
    versions: ['v1alpha1'],
    scope: 'namespaced',
    source: 'istio',
    plural: row.plural,
    schema: row.schema,
    validate: withoutEffectYet(row.validate),
  });
}

/** The kinds of `telemetry.istio.io` and `extensions.istio.io`. */
export const observabilityKinds: { readonly [K in Kind]: CollectionOf<K, ObservabilitySpecs[K]> } = {
  Telemetry: istioCollection({
    kind: 'Telemetry',
    group: 'telemetry.istio.io',
    plural: 'telemetries',
    shortNames: ['telemetry'],
    categories: ['istio-io', 'telemetry-istio-io'],
    columns: [],
    versions: ['v1', 'v1alpha1'],
    scope: 'namespaced',
    source: 'istio',
    schema: telemetrySchema,
    validate: withoutEffectYet(validateTelemetry),
  }),
  WasmPlugin: extension('WasmPlugin', {
    plural: 'wasmplugins',
    schema: wasmPluginSchema,
    validate: validateWasmPlugin,
  }),
  TrafficExtension: extension('TrafficExtension', {
    plural: 'trafficextensions',
    schema: trafficExtensionSchema,
    validate: validateTrafficExtension,
  }),
};
