import { Field } from '../finding.ts';
import type { Issue } from '../issue.ts';
import { checkSelectorLabels } from '../rules/names.ts';
import { checkTargets } from '../rules/targets.ts';
import { checkTraffic, checkWasm } from './check-wasm.ts';
import type { TrafficExtensionSpec, WasmPluginSpec } from './observability.ts';

export function validateWasmPlugin(spec: WasmPluginSpec): readonly Issue[] {
  const issues: Issue[] = [];
  const field = Field.top(issues, 'spec');
  checkTargets(field, spec);
  checkSelector(field, spec);
  checkWasm(field, spec);
  checkTraffic(field.at('match'), spec.match);
  return issues;
}

const mostLua = 65_536;

export function validateTrafficExtension(spec: TrafficExtensionSpec): readonly Issue[] {
  const issues: Issue[] = [];
  const field = Field.top(issues, 'spec');
  checkTargets(field, spec);
  checkSelector(field, spec);
  checkTraffic(field.at('match'), spec.match);
  if (spec.wasm !== undefined) checkWasm(field.at('wasm'), spec.wasm);
  if (spec.lua !== undefined) checkLua(field.at('lua', 'inlineCode'), spec.lua.inlineCode);
  return issues;
}

function checkSelector(field: Field, { selector }: Pick<WasmPluginSpec, 'selector'>): void {
  if (selector !== undefined) checkSelectorLabels(field.at('selector', 'matchLabels'), selector.matchLabels);
}

function checkLua(field: Field, code: string | undefined): void {
  if (!code) field.error('XEB0486', { problem: 'is required and missing', fix: 'write the code' });
  else if (code.length > mostLua) {
    field.error('XEB0486', { problem: `is too long (${code.length} characters)`, allowed: `at most ${mostLua}` });
  }
}
