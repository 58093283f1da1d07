import { isDeepStrictEqual } from 'node:util';
import { type Collection, collectionFor, collections } from '../../apis/collections.ts';
import type { Issue } from '../../apis/issue.ts';
import type { AdmissionRequest } from '../../http/admission-review.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { objectKey } from '../../model/ids.ts';
import { type ConfigObject, renderRef } from '../../model/object.ts';
import { metadataIssues } from '../admit/metadata.ts';
import { isRecord } from '../is-record.ts';
import { classifyForeign } from '../sources/foreign-kinds.ts';
import { type Candidate, readCandidate } from './candidate.ts';
import { printable, refusalText, warningTexts } from './refusal-text.ts';

/** Why something did not simply pass, in the words of Galley's metric. */
export type FailureReason =
  | 'unsupported_operation'
  | 'yaml_decode_error'
  | 'unknown_type'
  | 'crd_conversion_error'
  | 'invalid_resource';

export type Verdict = {
  readonly allowed: boolean;
  readonly message: string | undefined;
  readonly warnings: readonly string[];
  /** What is counted; not everything that is allowed has passed. */
  readonly failure: FailureReason | undefined;
  /** The kind that was judged, if it is one of ours. */
  readonly collection: Collection | undefined;
};

/** Checks an object against all others; for what it says nobody is refused. */
export type AnalyzeCandidate = (object: ConfigObject) => readonly Diagnostic[];

/** What is known of a request when its turn comes. */
type Case = { readonly request: AdmissionRequest; readonly analyze: AnalyzeCandidate };
type KnownCase = Case & { readonly candidate: Candidate; readonly collection: Collection };

/** Whether a request is decided, and how. */
type Check<C extends Case> = (request: C) => Verdict | undefined;

const otherOperation: Check<Case> = ({ request }) =>
  request.operation === 'CREATE' || request.operation === 'UPDATE'
    ? undefined
    : pass({ failure: 'unsupported_operation' });

/** A status is not what the mesh is made of, and whoever writes it must not be stopped by the spec beside it. */
const subResource: Check<Case> = ({ request }) => (request.subResource === '' ? undefined : pass({}));

const noObject: Check<Case> = ({ request }) =>
  isRecord(request.object)
    ? undefined
    : refuse('yaml_decode_error', 'cannot decode configuration: there is no object in the request');

const checks: readonly Check<Case>[] = [otherOperation, subResource, noObject];

/** An object that is on its way out may lose its finalizers, however bad it is. */
const beingDeleted: Check<KnownCase> = ({ candidate, collection }) =>
  candidate.meta.deletedAt === undefined ? undefined : pass({ collection });

const knownChecks: readonly Check<KnownCase>[] = [beingDeleted];

/**
 * Says whether an object may be created or changed. All that is wrong is said at once. Pure: what it is asked twice, or as a dry
 * run, it answers the same. It refuses only kinds that it knows.
 */
export function judge(request: AdmissionRequest, analyze: AnalyzeCandidate): Verdict {
  for (const check of checks) {
    const verdict = check({ request, analyze });
    if (verdict !== undefined) return verdict;
  }
  const candidate = readCandidate(request, isRecord(request.object) ? request.object : {});
  const collection = collectionFor(candidate.apiVersion, candidate.kind);
  if (collection === undefined) return judgeStranger(candidate);
  if (collection.source !== 'istio') return pass({});
  const known = { request, analyze, candidate, collection };
  for (const check of knownChecks) {
    const verdict = check(known);
    if (verdict !== undefined) return verdict;
  }
  return judgeContent(known);
}

function judgeContent({ request, analyze, candidate, collection }: KnownCase): Verdict {
  const { body, meta, title, kind } = candidate;
  const { spec, issues: found } = collection.check(body, meta);
  const issues = [...found, ...metadataIssues(body, meta)];
  const errors = issues.filter(({ level }) => level === 'error');
  const warnings = issues.filter(({ level }) => level === 'warning');
  const isUntouched = request.operation === 'UPDATE' && saysTheSame(body, request.oldObject);
  // What was let in before stays changeable in what it does not say: or nobody could label it, or take it down.
  if (isUntouched) return pass({ collection, warnings: warningTexts(title, [...errors, ...warnings]) });
  if (errors.length > 0) {
    const owner = renderRef({ kind, namespace: meta.namespace, name: title });
    const failure = errors.every(isUnreadable) ? 'crd_conversion_error' : 'invalid_resource';
    return { ...refuse(failure, refusalText(owner, errors), collection), warnings: warningTexts(title, warnings) };
  }
  if (spec === undefined) throw new Error(`a ${kind} without errors has no spec`);
  const object = { kind: collection.kind, key: objectKey(kind, meta.namespace, meta.name), meta, spec };
  const questionable = analyze(object).filter(({ level }) => level !== 'info');
  return pass({ collection, warnings: warningTexts(title, [...warnings, ...questionable]) });
}

/** Another version of a kind that is known cannot be judged; of a kind that is not, nobody here has the say. */
function judgeStranger({ apiVersion, kind }: Candidate): Verdict {
  const known = Object.values(collections);
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  const isKnown = known.some((one) => one.source === 'istio' && one.kind === kind && one.group === group);
  const foreign = classifyForeign(apiVersion, kind, known);
  const words = foreign.kind === 'unread' ? printable(foreign.message) : '';
  if (isKnown) return refuse('unknown_type', `unrecognized type ${kind}: ${words}`);
  return pass({ warnings: foreign.kind === 'unread' && foreign.level === 'warning' ? [words.slice(0, 256)] : [] });
}

function saysTheSame(body: Readonly<Record<string, unknown>>, before: unknown): boolean {
  return isRecord(before) && isDeepStrictEqual(contentOf(body), contentOf(before));
}

function contentOf(body: Readonly<Record<string, unknown>>): unknown {
  const { apiVersion: _, kind: __, metadata: ___, status: ____, ...content } = body;
  return content;
}

const readingCodes = /^XEB00/;

/** The object does not have the form of its kind, so that there is nothing to be right or wrong. */
function isUnreadable({ code }: Issue): boolean {
  return readingCodes.test(code) && code !== 'XEB0009';
}

function pass(parts: Partial<Pick<Verdict, 'failure' | 'collection' | 'warnings'>>): Verdict {
  return { allowed: true, message: undefined, warnings: [], failure: undefined, collection: undefined, ...parts };
}

function refuse(failure: FailureReason, message: string, collection?: Collection): Verdict {
  return { allowed: false, message, warnings: [], failure, collection };
}
