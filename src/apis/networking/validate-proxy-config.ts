import { Field } from '../finding.ts';
import type { Issue } from '../issue.ts';
import { checkSelectorLabels } from '../rules/names.ts';
import { checkCount } from '../rules/scalars.ts';
import type { ProxyConfigSpec } from './networking.ts';

export function validateProxyConfig(spec: ProxyConfigSpec): readonly Issue[] {
  const issues: Issue[] = [];
  const field = Field.top(issues, 'spec');
  if (spec.selector !== undefined) checkSelectorLabels(field.at('selector', 'matchLabels'), spec.selector.matchLabels);
  checkCount(field.at('concurrency'), spec.concurrency);
  return issues;
}
