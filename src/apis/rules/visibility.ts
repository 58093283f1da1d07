import type { Field } from '../finding.ts';
import { isDnsLabel, isDnsName } from '../names.ts';
import { quote } from '../schema/words.ts';

type ExportRules = {
  readonly namespace: string;
  /** `~`, visible to nobody: ServiceEntry only. */
  readonly allowNone: boolean;
};

/** Namespaces that see an object: `.` the own one, `*` all, or names; the union of what Istio 1.4 and today's accept. */
export function checkExportTo(field: Field, exportTo: readonly string[] | undefined, rules: ExportRules): void {
  const entries = exportTo ?? [];
  const seen = new Set<string>();
  for (const [index, entry] of entries.entries()) {
    const key = entry === '.' ? rules.namespace : entry;
    if (seen.has(key)) {
      field
        .at(index)
        .error('XEB0111', { problem: `repeats ${quote(key)}`, got: entry, fix: 'list every namespace once' });
    }
    seen.add(key);
    checkEntry(field.at(index), entry, rules);
  }
  if (entries.length < 2) return;
  if (entries.includes('*')) {
    field.error('XEB0111', { problem: 'lists * beside others', allowed: '* alone', fix: 'remove the others, or *' });
  }
  if (entries.includes('~')) {
    field.error('XEB0111', {
      problem: 'lists ~ (nobody) beside others',
      allowed: '~ alone',
      fix: 'remove ~, or the others',
    });
  }
}

function checkEntry(field: Field, entry: string, { allowNone }: ExportRules): void {
  if (entry === '.' || entry === '*' || (entry === '~' && allowNone) || isDnsLabel(entry)) return;
  field.error('XEB0111', {
    problem: 'is not a namespace',
    got: entry,
    allowed: 'a namespace, . for the own one, or *',
  });
}

/**
 * Gateways of a VirtualService or of a match. Istio stops at the first name without a namespace, so what is wrong behind
 * it is only a warning.
 */
export function checkGatewayRefs(field: Field, gateways: readonly string[] | undefined): void {
  let level: 'error' | 'warning' = 'error';
  for (const [index, gateway] of (gateways ?? []).entries()) {
    const slash = gateway.indexOf('/');
    if (!isGatewayRef(gateway)) {
      const allowed = 'namespace/name, name, or mesh';
      field.at(index).report(level, 'XEB0112', { problem: 'is not a gateway reference', got: gateway, allowed });
    } else if (slash < 0 && gateway.includes('.')) {
      const [name = '', namespace = ''] = gateway.split('.');
      const fix = `write ${namespace}/${name}`;
      field.at(index).warn('IST0002', { problem: 'is the old form of a gateway reference', got: gateway, fix });
    }
    if (slash < 0) level = 'warning';
  }
}

export function isGatewayRef(gateway: string): boolean {
  const slash = gateway.indexOf('/');
  if (slash < 0) return isDnsName(gateway);
  return isDnsLabel(gateway.slice(0, slash)) && isDnsLabel(gateway.slice(slash + 1));
}
