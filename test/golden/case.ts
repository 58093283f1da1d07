import { readFileSync } from 'node:fs';

/** One golden case: objects in, some resources of one proxy out. Its header says what it proves and what to show. */
export type GoldenCase = {
  readonly proves: string;
  /** The documents of the common files it builds on, then its own. */
  readonly yaml: string;
  readonly proxy: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Whether the proxy has proven who it is, by a certificate or a token. */
  readonly isProven: boolean;
  /**
   * Patterns such as `routes/9080`, `clusters/outbound*` or `diagnostics/XEB*`; a star stands for any text.
   * `routes/9080#reviews*` is of that route only the virtual hosts named so.
   */
  readonly show: readonly string[];
  /** Fields that are left out wherever they are: what other cases show, and would hide what this one is about. */
  readonly without: readonly string[];
  /** Codes of errors that analysis rightly finds in the objects. */
  readonly despite: readonly string[];
};

/** What nearly every resource has, under a word for `without`. */
const usual: Readonly<Record<string, readonly string[]>> = {
  'usual-route': words(
    'decorator include_request_attempt_count max_stream_duration metadata retry_policy validate_clusters max_direct_response_body_size_bytes',
  ),
  'usual-cluster': words(
    'circuit_breakers common_lb_config connect_timeout eds_cluster_config metadata typed_extension_protocol_options',
  ),
  'usual-manager': words(
    `access_log config_source forward_client_cert_details http_filters internal_address_config normalize_path request_id_extension
    server_name set_current_client_cert_details stream_idle_timeout upgrade_configs use_remote_address`,
  ),
};

export function loadCase(name: string): GoldenCase {
  const text = read(`cases/${name}.yaml`);
  const header = text.split('\n').filter((line) => line.startsWith('# '));
  const fields = new Map(header.map((line) => splitOnce(line.slice(2), ': ')));
  const common = words(fields.get('with')).map((file) => read(`common/${file}.yaml`));
  return {
    proves: fields.get('Proves') ?? '',
    yaml: [...common, text].join('\n---\n'),
    proxy: fields.get('proxy') ?? '',
    labels: pairs(fields.get('labels')),
    metadata: pairs(fields.get('metadata')),
    isProven: fields.get('proven') === 'yes',
    show: words(fields.get('show')),
    without: words(fields.get('without')).flatMap((word) => usual[word] ?? [word]),
    despite: words(fields.get('despite')),
  };
}

export function isShown(patterns: readonly string[], type: string, name: string): boolean {
  return patterns.some((pattern) => matches(parseShown(pattern).resource, `${type}/${name}`));
}

/** Whether a virtual host of a shown route is. */
export function isHostShown(patterns: readonly string[], route: string, host: string): boolean {
  return patterns
    .map(parseShown)
    .some(({ resource, hosts }) => matches(resource, `routes/${route}`) && matches(hosts, host));
}

function parseShown(pattern: string): { readonly resource: readonly string[]; readonly hosts: readonly string[] } {
  const [resource, hosts] = splitOnce(pattern, '#');
  return { resource: resource.split('*'), hosts: (hosts || '*').split('*') };
}

/** The value without fields of these names, at any depth. */
export function withoutFields(value: unknown, names: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutFields(item, names));
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([name]) => !names.includes(name));
  return Object.fromEntries(kept.map(([name, inner]) => [name, withoutFields(inner, names)]));
}

function matches(parts: readonly string[], text: string): boolean {
  const [first = '', ...rest] = parts;
  if (!text.startsWith(first)) return false;
  if (rest.length === 0) return text === first;
  let at = first.length;
  for (const [index, part] of rest.entries()) {
    const isLast = index === rest.length - 1;
    const found = isLast ? text.length - part.length : text.indexOf(part, at);
    if (found < at || !text.startsWith(part, found)) return false;
    at = found + part.length;
  }
  return true;
}

function read(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8');
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}

function words(text: string | undefined): readonly string[] {
  return (text ?? '').split(/\s+/).filter((word) => word !== '');
}

function pairs(text: string | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(words(text).map((word) => splitOnce(word, '=')));
}
