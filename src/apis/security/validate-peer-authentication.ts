import { Field } from '../finding.ts';
import type { Issue } from '../issue.ts';
import { checkSelectorLabels } from '../rules/names.ts';
import { isPort } from '../rules/scalars.ts';
import type { PeerAuthenticationSpec } from './security.ts';

export function validatePeerAuthentication({ selector, portLevelMtls }: PeerAuthenticationSpec): readonly Issue[] {
  const issues: Issue[] = [];
  const field = Field.top(issues, 'spec');
  if (selector !== undefined) checkSelectorLabels(field.at('selector', 'matchLabels'), selector.matchLabels);
  if (portLevelMtls === undefined) return issues;
  const at = field.at('portLevelMtls');
  const ports = Object.keys(portLevelMtls);
  if (ports.length === 0) at.error('XEB0330', { problem: 'is empty', fix: 'add a port, or remove it' });
  else if (Object.keys(selector?.matchLabels ?? {}).length === 0) {
    const fix = 'add selector.matchLabels: ports are those of workloads';
    at.error('XEB0330', { problem: 'needs a selector', fix });
  }
  for (const port of ports) {
    if (/^\d+$/.test(port) && isPort(Number(port))) continue;
    at.at(port).error('XEB0105', { problem: 'is not a port', got: port, allowed: '1 to 65535' });
  }
  return issues;
}
