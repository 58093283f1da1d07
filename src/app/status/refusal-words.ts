/** Words of Envoy's errors, and the field of an object that they are about. The first that fits and that the object has is taken. */
export const fieldHints: readonly (readonly [words: RegExp, fields: readonly string[]])[] = [
  [/outlier/i, ['outlierDetection']],
  [/ring|maglev|hash|lb_?policy|load.?balanc|slow.?start|locality/i, ['loadBalancer', 'consistentHash']],
  [/certificate|private.?key|tls|invalid path|trusted_ca|cipher|\bsni\b/i, ['tls']],
  [/circuit|connect.?timeout|keep.?alive|max.?(requests|connections|retries)|max_pending/i, ['connectionPool']],
  [/cors/i, ['corsPolicy']],
  [/retry|retries|retriable/i, ['retries']],
  [/redirect/i, ['redirect']],
  [/rewrite/i, ['rewrite']],
  [/direct.?response|response body/i, ['directResponse']],
  [/mirror/i, ['mirror', 'mirrors']],
  [/fault|abort|delay/i, ['fault']],
  [/header/i, ['headers']],
  [/weight/i, ['route']],
  [/regex|program size|safe_?regex|prefix|path.?match|query_?param|RouteMatch|Error\.Match/i, ['match']],
  [/timeout/i, ['timeout', 'idleTimeout']],
  [/domain|virtual.?host/i, ['hosts']],
  [/endpoint|lb_?endpoints|address/i, ['endpoints', 'addresses']],
  [/port/i, ['port', 'ports']],
];

/** Values that the words quote, the longest first: `'…'`, `"…"`, and what is named after a colon at the end. */
export function quotedIn(error: string): readonly string[] {
  const quoted = [...error.matchAll(/'([^'\n]+)'|"([^"\n]+)"|`([^`\n]+)`/g)].map(
    (match) => match[1] ?? match[2] ?? match[3],
  );
  const named = [
    ...error.matchAll(
      /(?:domain|host|cluster|address:?|file|path:?|from|repetition operator:|missing \)?\]?:|sequence:) (\S+)/gi,
    ),
  ].map((match) => match[1]?.replace(/[,;.:)]+$/, ''));
  const files = [...error.matchAll(/(?<=\s)\/[\w./-]+/g)].map(([file]) => file.replace(/[.,]$/, ''));
  const values = [...files, ...quoted, ...named].filter((value) => value !== undefined && value.length >= 2);
  return [...new Set(values)].filter((value) => value !== undefined).sort((a, b) => b.length - a.length);
}

/** Where a message about protobuf fields points inside a route configuration. */
export function routePlaceIn(
  error: string,
): { readonly virtualHost: number; readonly route: number | undefined } | undefined {
  const host = /virtual_?hosts\[(\d+)\]/i.exec(error)?.[1];
  if (host === undefined) return undefined;
  const route = /(?<!virtual)routes\[(\d+)\]/i.exec(error)?.[1];
  return { virtualHost: Number(host), route: route === undefined ? undefined : Number(route) };
}

/** The innermost of the causes that Envoy strings together, which is the one that says something. */
export function innermostCause(words: string): string {
  const cause = words.startsWith('Proto constraint validation failed')
    ? words.split(' | caused by ').at(-1)
    : undefined;
  return cause === undefined || cause === words ? words : cause.replace(/\)$/, '');
}

/** Without what every error of its kind begins with, and without the dump of the message that may follow. */
export function plainWords(error: string, resource: string): string {
  const dump = error.search(/\): (?:name|cluster_name|virtual_hosts|address)[:{ ]/);
  const words = (dump < 0 ? error : error.slice(0, dump + 1)).replace(/^Error adding\/updating \w+\(s\) /, '');
  const prefix = `${resource}: `;
  return words.startsWith(prefix) ? words.slice(prefix.length) : words;
}
