import type { Issue } from '../../apis/issue.ts';
import { isLabelKey, isLabelValue } from '../../apis/names.ts';
import { describe, quote } from '../../apis/schema/words.ts';
import type { ObjectMeta } from '../../model/object.ts';
import { isRecord } from '../is-record.ts';

const SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const LABEL = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;

/** Checks what the API server would check of an object's metadata, for objects that did not come through it. */
export function metadataIssues(
  body: Readonly<Record<string, unknown>>,
  { name, namespace }: ObjectMeta,
): readonly Issue[] {
  const issues: Issue[] = [];
  if (name.length > 253 || !SUBDOMAIN.test(name)) {
    issues.push(wrong(['name'], `${quote(name)} is not a name: use lower-case letters, digits, - and . (at most 253)`));
  }
  if (namespace !== '' && (namespace.length > 63 || !LABEL.test(namespace))) {
    const message = `${quote(namespace)} is not a namespace: use lower-case letters, digits and - (at most 63)`;
    issues.push(wrong(['namespace'], message));
  }
  const metadata = isRecord(body['metadata']) ? body['metadata'] : {};
  issues.push(...textMapIssues('labels', metadata['labels'], labelProblem));
  issues.push(...textMapIssues('annotations', metadata['annotations'], annotationProblem));
  return issues;
}

type CheckEntry = (key: string, value: string) => string | undefined;

function textMapIssues(field: string, map: unknown, check: CheckEntry): readonly Issue[] {
  if (map === undefined || map === null) return [];
  if (!isRecord(map)) return [wrong([field], `must be a mapping of names to texts`)];
  return Object.entries(map).flatMap(([key, value]) => {
    if (typeof value !== 'string') {
      return [wrong([field, key], `must be text (got ${describe(value)}): put it in quotes`)];
    }
    const problem = check(key, value);
    return problem === undefined ? [] : [wrong([field, key], problem)];
  });
}

function labelProblem(key: string, value: string): string | undefined {
  if (!isLabelKey(key)) return `${quote(key)} is not a label key: use letters, digits, - _ . after an optional prefix/`;
  if (value.length > 63 || !isLabelValue(value)) {
    return `${quote(value)} is not a label value: use letters, digits, - _ . (at most 63, letters or digits at both ends)`;
  }
  return undefined;
}

function annotationProblem(key: string): string | undefined {
  return isLabelKey(key)
    ? undefined
    : `${quote(key)} is not an annotation key: use letters, digits, - _ . after an optional prefix/`;
}

function wrong(path: readonly string[], message: string): Issue {
  return { code: 'XEB1014', level: 'error', path: ['metadata', ...path], message };
}
