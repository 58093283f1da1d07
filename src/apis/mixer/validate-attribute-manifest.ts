import { Field } from '../finding.ts';
import type { Issue } from '../issue.ts';
import { isAttributeName, warnAttributeName } from './check-attributes.ts';
import type { AttributeManifestSpec } from './mixer.ts';

/** Istio 1.4 takes every manifest; an attribute without a type is one that no expression can use. */
export function validateAttributeManifest({ attributes = {} }: AttributeManifestSpec): readonly Issue[] {
  const issues: Issue[] = [];
  const field = Field.top(issues, 'spec').at('attributes');
  const entries = Object.entries(attributes);
  if (entries.length === 0)
    field.warn('XEB0455', { problem: 'is empty, so nothing is declared', fix: 'add attributes' });
  for (const [name, { valueType = 'VALUE_TYPE_UNSPECIFIED' }] of entries) {
    if (!isAttributeName(name)) warnAttributeName(field.at(name), name);
    if (valueType !== 'VALUE_TYPE_UNSPECIFIED') continue;
    const problem = 'is missing, so no expression can use the attribute';
    field.at(name, 'valueType').warn('XEB0455', { problem, fix: 'say its type' });
  }
  return issues;
}
