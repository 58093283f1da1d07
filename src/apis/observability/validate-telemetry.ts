import { Field } from '../finding.ts';
import type { Issue } from '../issue.ts';
import { checkSelectorLabels } from '../rules/names.ts';
import { checkDuration, checkPercent } from '../rules/scalars.ts';
import { checkTargets } from '../rules/targets.ts';
import type { AccessLogging, CustomTag, Metrics, MetricsOverride, TelemetrySpec, Tracing } from './observability.ts';

export function validateTelemetry(spec: TelemetrySpec): readonly Issue[] {
  const issues: Issue[] = [];
  const field = Field.top(issues, 'spec');
  const { selector, tracing = [], metrics = [], accessLogging = [] } = spec;
  checkTargets(field, spec);
  if (selector !== undefined) checkSelectorLabels(field.at('selector', 'matchLabels'), selector.matchLabels);
  if (tracing.length > 1) {
    field.at('tracing').warn('XEB0481', { problem: 'has several entries, and the first is used', fix: 'keep one' });
  }
  field.at('tracing').each(tracing, checkTracing);
  field.at('metrics').each(metrics, checkMetrics);
  field.at('accessLogging').each(accessLogging, checkAccessLogging);
  if (tracing.length + metrics.length + accessLogging.length === 0) {
    field.warn('XEB0118', { problem: 'is empty, so nothing changes', allowed: 'tracing, metrics or accessLogging' });
  }
  return issues;
}

type ProviderRef = { readonly name?: string | undefined };

function checkProvider(field: Field, { name }: ProviderRef): void {
  if (!name) field.at('name').error('XEB0481', { problem: 'is required and missing', fix: 'name a provider' });
}

function checkTracing(field: Field, { providers = [], customTags = {}, randomSamplingPercentage }: Tracing): void {
  field.at('providers').each(providers, checkProvider);
  if (providers.length > 1) {
    const fix = 'keep one';
    field.at('providers').warn('XEB0481', { problem: 'has several entries, and the first is used', fix });
  }
  checkPercent(field.at('randomSamplingPercentage'), randomSamplingPercentage);
  for (const [name, tag] of Object.entries(customTags)) {
    const at = field.at('customTags', name);
    if (name === '') at.error('XEB0483', { problem: 'has an empty name', fix: 'name the tag' });
    checkTag(at, tag);
  }
}

/** The member of a tag's source that must not be empty. */
const tagSources = { literal: 'value', environment: 'name', header: 'name', formatter: 'value' } as const;

function checkTag(field: Field, { literal, environment, header, formatter }: CustomTag): void {
  const given = { literal: literal?.value, environment: environment?.name, header: header?.name };
  const values = { ...given, formatter: formatter?.value };
  const sources = { literal, environment, header, formatter };
  for (const source of ['literal', 'environment', 'header', 'formatter'] as const) {
    if (sources[source] === undefined) continue;
    if (values[source]) return;
    field.at(source, tagSources[source]).error('XEB0483', { problem: 'is required and missing', fix: 'add it' });
    return;
  }
  field.warn('XEB0483', { problem: 'has no value', allowed: Object.keys(tagSources).join(', ') });
}

function checkMetrics(field: Field, { providers = [], overrides = [], reportingInterval }: Metrics): void {
  field.at('providers').each(providers, checkProvider);
  field.at('overrides').each(overrides, checkOverride);
  checkDuration(field.at('reportingInterval'), reportingInterval);
}

function checkOverride(field: Field, { match, tagOverrides = {} }: MetricsOverride): void {
  if (match?.customMetric === '') {
    field.at('match', 'customMetric').error('XEB0482', { problem: 'is empty', fix: 'name the metric' });
  }
  for (const [name, { operation = 'UPSERT', value }] of Object.entries(tagOverrides)) {
    const at = field.at('tagOverrides', name);
    if (name === '') at.error('XEB0482', { problem: 'has an empty name', fix: 'name the tag' });
    const place = at.at('value');
    if (operation === 'UPSERT' && !value) {
      place.error('XEB0482', { problem: 'is required for UPSERT', fix: 'add an expression, or use REMOVE' });
    } else if (operation === 'REMOVE' && value !== undefined) {
      place.error('XEB0482', { problem: 'cannot be set for REMOVE', got: value, fix: 'remove it' });
    }
  }
}

function checkAccessLogging(field: Field, { providers = [], filter }: AccessLogging): void {
  field.at('providers').each(providers, checkProvider);
  if (filter === undefined || filter.expression) return;
  field.at('filter', 'expression').warn('XEB0118', { problem: 'is empty, so everything is logged', fix: 'remove it' });
}
