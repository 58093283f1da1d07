import { type CollectionFacts, type CollectionOf, istioCollection } from '../collection.ts';
import { withoutEffectYet } from '../rules/no-effect-yet.ts';
import { adapterSchema } from './adapter.ts';
import { attributeManifestSchema } from './attribute-manifest.ts';
import { handlerSchema } from './handler.ts';
import { httpApiSpecSchema } from './http-api-spec.ts';
import { httpApiSpecBindingSchema } from './http-api-spec-binding.ts';
import { instanceSchema } from './instance.ts';
import type {
  AdapterSpec,
  AttributeManifestSpec,
  HandlerSpec,
  HttpApiSpecBindingSpec,
  HttpApiSpecSpec,
  InstanceSpec,
  QuotaSpecBindingSpec,
  QuotaSpecSpec,
  RuleSpec,
  TemplateSpec,
} from './mixer.ts';
import { quotaSpecSchema } from './quota-spec.ts';
import { quotaSpecBindingSchema } from './quota-spec-binding.ts';
import { ruleSchema } from './rule.ts';
import { templateSchema } from './template.ts';
import { validateAdapter, validateTemplate } from './validate-adapter.ts';
import { validateAttributeManifest } from './validate-attribute-manifest.ts';
import { validateHttpApiSpecBinding, validateQuotaSpecBinding } from './validate-bindings.ts';
import { validateHandler } from './validate-handler.ts';
import { validateHttpApiSpec } from './validate-http-api-spec.ts';
import { validateInstance } from './validate-instance.ts';
import { validateQuotaSpec } from './validate-quota-spec.ts';
import { validateRule } from './validate-rule.ts';

/** What the body of each kind parses to. The first six are lower case in Istio too. */
export type MixerSpecs = {
  readonly rule: RuleSpec;
  readonly handler: HandlerSpec;
  readonly instance: InstanceSpec;
  readonly attributemanifest: AttributeManifestSpec;
  readonly adapter: AdapterSpec;
  readonly template: TemplateSpec;
  readonly HTTPAPISpec: HttpApiSpecSpec;
  readonly HTTPAPISpecBinding: HttpApiSpecBindingSpec;
  readonly QuotaSpec: QuotaSpecSpec;
  readonly QuotaSpecBinding: QuotaSpecBindingSpec;
};

type Kind = keyof MixerSpecs;
type Facts<K extends Kind> = CollectionFacts<K, MixerSpecs[K]>;

function mixer<K extends Kind>(
  kind: K,
  category: 'policy-istio-io' | 'apim-istio-io',
  row: Pick<Facts<K>, 'schema' | 'validate'>,
): CollectionOf<K, MixerSpecs[K]> {
  return istioCollection({
    kind,
    group: 'config.istio.io',
    plural: `${kind.toLowerCase()}s`,
    shortNames: [],
    categories: ['istio-io', category],
    columns: [],
    versions: ['v1alpha2'],
    scope: 'namespaced',
    source: 'istio',
    schema: row.schema,
    validate: withoutEffectYet(row.validate),
  });
}

/** The kinds of `config.istio.io`. */
export const mixerKinds: { readonly [K in Kind]: CollectionOf<K, MixerSpecs[K]> } = {
  rule: mixer('rule', 'policy-istio-io', { schema: ruleSchema, validate: validateRule }),
  handler: mixer('handler', 'policy-istio-io', { schema: handlerSchema, validate: validateHandler }),
  instance: mixer('instance', 'policy-istio-io', { schema: instanceSchema, validate: validateInstance }),
  attributemanifest: mixer('attributemanifest', 'policy-istio-io', {
    schema: attributeManifestSchema,
    validate: validateAttributeManifest,
  }),
  adapter: mixer('adapter', 'policy-istio-io', { schema: adapterSchema, validate: validateAdapter }),
  template: mixer('template', 'policy-istio-io', { schema: templateSchema, validate: validateTemplate }),
  HTTPAPISpec: mixer('HTTPAPISpec', 'apim-istio-io', { schema: httpApiSpecSchema, validate: validateHttpApiSpec }),
  HTTPAPISpecBinding: mixer('HTTPAPISpecBinding', 'apim-istio-io', {
    schema: httpApiSpecBindingSchema,
    validate: validateHttpApiSpecBinding,
  }),
  QuotaSpec: mixer('QuotaSpec', 'apim-istio-io', { schema: quotaSpecSchema, validate: validateQuotaSpec }),
  QuotaSpecBinding: mixer('QuotaSpecBinding', 'apim-istio-io', {
    schema: quotaSpecBindingSchema,
    validate: validateQuotaSpecBinding,
  }),
};
