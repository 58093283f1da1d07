import { Field } from '../finding.ts';
import type { Issue } from '../issue.ts';
import type { MetaForValidation } from '../meta.ts';
import type { RbacConfigSpec } from './security.ts';

export function validateClusterRbacConfig(spec: RbacConfigSpec, { name }: MetaForValidation): readonly Issue[] {
  const issues: Issue[] = [];
  if (name !== 'default') {
    const finding = {
      problem: 'is not the name of the configuration, so it is ignored',
      got: name,
      allowed: 'default',
    };
    Field.top(issues, 'metadata').at('name').error('XEB0344', finding);
  }
  const field = Field.top(issues, 'spec');
  const { mode } = spec;
  for (const [wanted, list] of [
    ['ON_WITH_INCLUSION', 'inclusion'],
    ['ON_WITH_EXCLUSION', 'exclusion'],
  ] as const) {
    if (mode === wanted && spec[list] === undefined) {
      field.at(list).error('XEB0344', { problem: `is required for mode ${mode}`, fix: 'add it; {} is an empty list' });
    } else if (mode !== wanted && spec[list] !== undefined) {
      field.at(list).warn('XEB0118', { problem: `has no effect with mode ${mode ?? 'OFF'}`, fix: `use ${wanted}` });
    }
  }
  return issues;
}

/** The older form, which was one for the mesh too, though it had a namespace. */
export function validateRbacConfig(spec: RbacConfigSpec, meta: MetaForValidation): readonly Issue[] {
  const issues: Issue[] = [...validateClusterRbacConfig(spec, meta)];
  Field.top(issues, 'kind').warn('IST0002', { problem: 'is deprecated', fix: 'use ClusterRbacConfig' });
  return issues;
}
