import { Field } from '../finding.ts';
import type { Issue } from '../issue.ts';
import { checkAttributes } from './check-attributes.ts';
import type { ApiKey, ApiPattern, Attributes, HttpApiSpecSpec } from './mixer.ts';

export function validateHttpApiSpec({ attributes, patterns = [], apiKeys = [] }: HttpApiSpecSpec): readonly Issue[] {
  const issues: Issue[] = [];
  const field = Field.top(issues, 'spec');
  checkOwnAttributes(field.at('attributes'), attributes);
  if (patterns.length === 0) field.at('patterns').error('XEB0459', { problem: 'is empty', fix: 'add a pattern' });
  field.at('patterns').each(patterns, checkPattern);
  field.at('apiKeys').each(apiKeys, checkKey);
  return issues;
}

function checkOwnAttributes(field: Field, attributes: Attributes | undefined): void {
  if (Object.keys(attributes?.attributes ?? {}).length === 0) {
    field.error('XEB0462', { problem: 'is empty', fix: 'add attributes, api.service at least' });
  } else if (attributes !== undefined) checkAttributes(field, attributes, 'error');
}

function checkPattern(field: Field, { attributes, httpMethod, uriTemplate, regex }: ApiPattern): void {
  if (!httpMethod) field.at('httpMethod').error('XEB0459', { problem: 'is required and missing', fix: 'add it' });
  if (uriTemplate === '') field.at('uriTemplate').error('XEB0459', { problem: 'is empty', fix: 'write a template' });
  if (regex === '') field.at('regex').error('XEB0459', { problem: 'is empty', fix: 'write an expression' });
  if (uriTemplate === undefined && regex === undefined) {
    field.warn('XEB0459', { problem: 'matches no path', allowed: 'uriTemplate or regex' });
  }
  if (attributes !== undefined) checkAttributes(field.at('attributes'), attributes, 'warning');
}

function checkKey(field: Field, key: ApiKey): void {
  const kind = (['query', 'header', 'cookie'] as const).find((member) => key[member] !== undefined);
  if (kind === undefined) {
    field.warn('XEB0460', { problem: 'names no place to look in', allowed: 'query, header or cookie' });
  } else if (key[kind] === '') {
    field.at(kind).error('XEB0460', { problem: 'is empty', fix: `name the ${kind}` });
  }
}
