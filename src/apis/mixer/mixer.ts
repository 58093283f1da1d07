import type { Spec } from '../schema/spec.ts';
import type { adapterSchema } from './adapter.ts';
import type { attributeManifestSchema } from './attribute-manifest.ts';
import type { connectionSchema, connectionTlsSchema, handlerSchema } from './handler.ts';
import type {
  apiKeySchema,
  apiPatternSchema,
  attributesSchema,
  attributeValueSchema,
  httpApiSpecSchema,
} from './http-api-spec.ts';
import type { httpApiSpecBindingSchema } from './http-api-spec-binding.ts';
import type { instanceSchema } from './instance.ts';
import type { quotaRuleSchema, quotaSpecSchema } from './quota-spec.ts';
import type { quotaSpecBindingSchema } from './quota-spec-binding.ts';
import type { actionSchema, headerOperationSchema, ruleSchema } from './rule.ts';
import type { serviceReferenceSchema, specReferenceSchema } from './service-reference.ts';
import type { templateSchema } from './template.ts';

// The kinds of config.istio.io as the rest of xebec sees them: what the schemas beside this file parse to.

export type RuleSpec = Spec<typeof ruleSchema>;
export type Action = Spec<typeof actionSchema>;
export type HeaderOperation = Spec<typeof headerOperationSchema>;

export type HandlerSpec = Spec<typeof handlerSchema>;
export type Connection = Spec<typeof connectionSchema>;
export type ConnectionTls = Spec<typeof connectionTlsSchema>;

export type InstanceSpec = Spec<typeof instanceSchema>;
export type AttributeManifestSpec = Spec<typeof attributeManifestSchema>;
export type AdapterSpec = Spec<typeof adapterSchema>;
export type TemplateSpec = Spec<typeof templateSchema>;

export type HttpApiSpecSpec = Spec<typeof httpApiSpecSchema>;
export type ApiPattern = Spec<typeof apiPatternSchema>;
export type ApiKey = Spec<typeof apiKeySchema>;
export type Attributes = Spec<typeof attributesSchema>;
export type AttributeValue = Spec<typeof attributeValueSchema>;
export type HttpApiSpecBindingSpec = Spec<typeof httpApiSpecBindingSchema>;

export type QuotaSpecSpec = Spec<typeof quotaSpecSchema>;
export type QuotaRule = Spec<typeof quotaRuleSchema>;
export type QuotaSpecBindingSpec = Spec<typeof quotaSpecBindingSchema>;

export type ServiceReference = Spec<typeof serviceReferenceSchema>;
export type SpecReference = Spec<typeof specReferenceSchema>;
