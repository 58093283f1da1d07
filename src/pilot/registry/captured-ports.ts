/** Which of a pod's ports its proxy serves: all but some, or some. */
export type CapturedPorts = { readonly kind: 'all-but' | 'only'; readonly ports: readonly number[] };

export const allPorts: CapturedPorts = { kind: 'all-but', ports: [] };

const TRAFFIC = 'traffic.sidecar.istio.io/';

/** By the annotations that the capture rules are made by. What they exclude counts only where they include everything. */
export function capturedPorts(annotations: Readonly<Record<string, string>>): CapturedPorts {
  const included = annotations[`${TRAFFIC}includeInboundPorts`]?.trim() ?? '*';
  if (included !== '*') return { kind: 'only', ports: portsIn(included) };
  const excluded = annotations[`${TRAFFIC}excludeInboundPorts`] ?? '';
  return excluded === '' ? allPorts : { kind: 'all-but', ports: portsIn(excluded) };
}

export function isCaptured({ kind, ports }: CapturedPorts, port: number): boolean {
  return ports.includes(port) === (kind === 'only');
}

function portsIn(text: string): readonly number[] {
  return text.split(',').flatMap((part) => (/^\s*\d+\s*$/.test(part) ? [Number(part)] : []));
}
