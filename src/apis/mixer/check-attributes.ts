import type { Field, Finding } from '../finding.ts';
import type { IssueLevel } from '../issue.ts';
import { attributeValueKinds } from './http-api-spec.ts';
import type { Attributes, AttributeValue } from './mixer.ts';

const attributeName = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/;

export function isAttributeName(name: string): boolean {
  return attributeName.test(name);
}

export function warnAttributeName(field: Field, name: string): void {
  const problem = 'is not the name of an attribute, so no expression can read it';
  field.warn('XEB0455', { problem, got: name, allowed: 'letters, digits and _ in parts with dots' });
}

/** Attributes with their values; of those that Istio 1.4 never looks at, what is wrong is a warning. */
export function checkAttributes(field: Field, attributes: Attributes, level: IssueLevel): void {
  for (const [name, value] of Object.entries(attributes.attributes ?? {})) {
    const at = field.at('attributes', name);
    if (!isAttributeName(name)) warnAttributeName(at, name);
    checkValue(at, value, level);
  }
}

function checkValue(field: Field, value: AttributeValue, level: IssueLevel): void {
  const kind = attributeValueKinds.find((member) => value[member] !== undefined);
  if (kind === undefined) {
    field.report(level, 'XEB0462', { problem: 'has no value', allowed: attributeValueKinds.join(', ') });
    return;
  }
  const mistake = mistakes[kind](value);
  if (mistake !== undefined) field.at(kind).report(level, 'XEB0462', mistake);
}

const empty: Finding = { problem: 'is empty', fix: 'give it a value, or remove the attribute' };

/** What can be wrong with a value of each type, once its JSON type is right. */
const mistakes: Readonly<Record<(typeof attributeValueKinds)[number], (value: AttributeValue) => Finding | undefined>> =
  {
    stringValue: ({ stringValue }) => (stringValue === '' ? empty : undefined),
    int64Value: () => undefined,
    doubleValue: () => undefined,
    boolValue: () => undefined,
    bytesValue: ({ bytesValue = '' }) => {
      if (bytesValue === '') return empty;
      return isBase64(bytesValue) ? undefined : { problem: 'is not base64', got: bytesValue };
    },
    timestampValue: ({ timestampValue = '' }) =>
      isTimestamp(timestampValue)
        ? undefined
        : { problem: 'is not a time', got: timestampValue, allowed: 'a time such as 2020-01-31T12:00:00Z' },
    durationValue: () => undefined,
    stringMapValue: ({ stringMapValue }) =>
      Object.keys(stringMapValue?.entries ?? {}).length === 0 ? empty : undefined,
  };

/** Standard or URL alphabet, padded or not, as protobuf JSON reads it. */
export function isBase64(text: string): boolean {
  const body = text.replace(/={1,2}$/, '');
  return /^(?:[\w+/-]*)$/.test(body) && !body.includes('=') && body.length % 4 !== 1;
}

function isTimestamp(text: string): boolean {
  return (
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text))
  );
}
