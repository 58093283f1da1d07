import { Field } from '../finding.ts';
import type { Issue } from '../issue.ts';
import type { MetaForValidation } from '../meta.ts';
import { isBase64 } from './check-attributes.ts';
import { warnOtherName, warnReference } from './check-reference.ts';
import type { AdapterSpec, TemplateSpec } from './mixer.ts';

/** Istio 1.4 reads descriptors only when it compiles, and then goes on without them. */
export function validateAdapter(spec: AdapterSpec, { name }: MetaForValidation): readonly Issue[] {
  const issues: Issue[] = [];
  const field = Field.top(issues, 'spec');
  const { templates = [], config } = spec;
  warnOtherName(field.at('name'), spec.name, name);
  if (templates.length === 0) {
    field.at('templates').warn('XEB0453', { problem: 'is empty, so the adapter gets nothing', fix: 'name a template' });
  }
  field.at('templates').each(templates, warnReference);
  if (config !== undefined) warnDescriptor(field.at('config'), config);
  return issues;
}

export function validateTemplate({ descriptor = '' }: TemplateSpec): readonly Issue[] {
  const issues: Issue[] = [];
  const field = Field.top(issues, 'spec').at('descriptor');
  if (descriptor === '') field.warn('XEB0456', { problem: 'is missing, so the template is left out', fix: 'add it' });
  else warnDescriptor(field, descriptor);
  return issues;
}

/** A block of YAML text may be broken into lines. */
function warnDescriptor(field: Field, descriptor: string): void {
  if (isBase64(descriptor.replaceAll(/\s/g, ''))) return;
  const problem = 'is not base64, so it cannot be read';
  field.warn('XEB0456', { problem, fix: 'encode the FileDescriptorSet that protoc writes' });
}
