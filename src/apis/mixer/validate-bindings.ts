import { Field } from '../finding.ts';
import type { Issue } from '../issue.ts';
import { checkServices, checkSpecReferences } from './check-service-reference.ts';
import type { HttpApiSpecBindingSpec, QuotaSpecBindingSpec } from './mixer.ts';

export function validateQuotaSpecBinding({ services, quotaSpecs }: QuotaSpecBindingSpec): readonly Issue[] {
  const issues: Issue[] = [];
  const field = Field.top(issues, 'spec');
  checkServices(field.at('services'), services);
  checkSpecReferences(field.at('quotaSpecs'), quotaSpecs);
  return issues;
}

export function validateHttpApiSpecBinding({ services, apiSpecs }: HttpApiSpecBindingSpec): readonly Issue[] {
  const issues: Issue[] = [];
  const field = Field.top(issues, 'spec');
  checkServices(field.at('services'), services);
  checkSpecReferences(field.at('apiSpecs'), apiSpecs);
  return issues;
}
