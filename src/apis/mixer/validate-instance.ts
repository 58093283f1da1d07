import { Field } from '../finding.ts';
import type { Issue } from '../issue.ts';
import type { MetaForValidation } from '../meta.ts';
import { isAttributeName, warnAttributeName } from './check-attributes.ts';
import { warnOtherName, warnReference } from './check-reference.ts';
import { warnTemplate } from './known-names.ts';
import type { InstanceSpec } from './mixer.ts';

/** The one built-in template whose output becomes attributes. */
const generating = 'kubernetes';

/** What Istio 1.4 finds only when it compiles the instance, and then goes on without it, is a warning. */
export function validateInstance(spec: InstanceSpec, { name }: MetaForValidation): readonly Issue[] {
  const issues: Issue[] = [];
  const field = Field.top(issues, 'spec');
  const { compiledTemplate, template } = spec;
  warnOtherName(field.at('name'), spec.name, name);
  if (compiledTemplate) {
    warnTemplate(field.at('compiledTemplate'), compiledTemplate);
    if (template) {
      const problem = `has no effect beside compiledTemplate ${compiledTemplate}`;
      field.at('template').warn('XEB0454', { problem, got: template, fix: 'keep one of them' });
    }
    warnBindings(field.at('attributeBindings'), spec, compiledTemplate);
  } else if (template) warnReference(field.at('template'), template);
  else field.warn('XEB0454', { problem: 'names no template, so it is left out', fix: 'add compiledTemplate' });
  for (const attribute of Object.keys(spec.attributeBindings ?? {})) {
    if (!isAttributeName(attribute)) warnAttributeName(field.at('attributeBindings', attribute), attribute);
  }
  return issues;
}

function warnBindings(field: Field, { attributeBindings = {} }: InstanceSpec, compiledTemplate: string): void {
  const count = Object.keys(attributeBindings).length;
  if (compiledTemplate === generating && count === 0) {
    field.warn('XEB0454', { problem: 'is empty, so what is found is not used', fix: 'bind attributes to $out fields' });
  } else if (compiledTemplate !== generating && count > 0) {
    const problem = `has no effect: ${compiledTemplate} has no output`;
    field.warn('XEB0454', { problem, fix: 'remove it' });
  }
}
