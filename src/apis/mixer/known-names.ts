import type { IssueCode } from '../codes.ts';
import type { Field } from '../finding.ts';
import { nearest } from '../schema/words.ts';

/** The adapters that Istio 1.4's Mixer had built in. */
const compiledAdapters: readonly string[] = [
  'bypass',
  'circonus',
  'cloudwatch',
  'denier',
  'dogstatsd',
  'fluentd',
  'kubernetesenv',
  'listchecker',
  'memquota',
  'noop',
  'opa',
  'prometheus',
  'redisquota',
  'solarwinds',
  'stackdriver',
  'statsd',
  'stdio',
  'zipkin',
];

const removedAdapters: ReadonlyMap<string, string> = new Map([
  ['rbac', 'it ended with Istio 1.2: use AuthorizationPolicy'],
  ['signalfx', 'it ended with Istio 1.3'],
]);

/** The templates that it had built in. */
const compiledTemplates: readonly string[] = [
  'apikey',
  'authorization',
  'checknothing',
  'edge',
  'kubernetes',
  'listentry',
  'logentry',
  'metric',
  'quota',
  'reportnothing',
  'tracespan',
];

export function warnAdapter(field: Field, name: string): void {
  const removed = removedAdapters.get(name);
  if (removed === undefined) warnUnknown(field, 'XEB0453', { name, known: compiledAdapters });
  else field.warn('XEB0453', { problem: 'is not built in', got: name, fix: removed });
}

export function warnTemplate(field: Field, name: string): void {
  warnUnknown(field, 'XEB0454', { name, known: compiledTemplates });
}

type Named = { readonly name: string; readonly known: readonly string[] };

function warnUnknown(field: Field, code: IssueCode, { name, known }: Named): void {
  if (known.includes(name)) return;
  const meant = nearest(name, known);
  const fix = meant === undefined ? {} : { fix: `did you mean ${meant}?` };
  field.warn(code, { problem: 'is not built in, so it is left out', got: name, allowed: known.join(', '), ...fix });
}
