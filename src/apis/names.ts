const label = /^[A-Za-z0-9](?:[-A-Za-z0-9]{0,61}[A-Za-z0-9])?$/;
const labelName = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const labelValue = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;

/** One DNS label, upper case allowed: the name of a subset, a port or a namespace. */
export function isDnsLabel(text: string): boolean {
  return label.test(text);
}

/** `*`, `*abc`, `*-abc` or a DNS label. */
export function isWildcardLabel(text: string): boolean {
  if (!text.startsWith('*')) return isDnsLabel(text);
  return text.length <= 63 && (text === '*' || /^\*-?[A-Za-z0-9](?:[-A-Za-z0-9]*[A-Za-z0-9])?$/.test(text));
}

/** A complete or short DNS name without wildcards; one trailing dot is allowed. */
export function isDnsName(text: string): boolean {
  return text.length > 0 && text.length <= 255 && areDnsLabels(text);
}

/** A DNS name whose first label may be a wildcard. */
export function isWildcardDnsName(text: string): boolean {
  if (text.length === 0 || text.length > 255) return false;
  const dot = text.indexOf('.');
  if (dot < 0) return isWildcardLabel(text);
  return isWildcardLabel(text.slice(0, dot)) && areDnsLabels(text.slice(dot + 1));
}

function areDnsLabels(text: string): boolean {
  const labels = text.split('.');
  const last = labels.at(-1) ?? '';
  if (/^\d+$/.test(last)) return false;
  const checked = last === '' ? labels.slice(0, -1) : labels;
  return checked.length > 0 && checked.every(isDnsLabel);
}

/** The key of a Kubernetes label: `[prefix/]name`. */
export function isLabelKey(text: string): boolean {
  const slash = text.indexOf('/');
  if (slash < 0) return labelName.test(text);
  const prefix = text.slice(0, slash);
  return prefix.length <= 253 && isDnsName(prefix) && labelName.test(text.slice(slash + 1));
}

export function isLabelValue(text: string): boolean {
  return labelValue.test(text);
}
