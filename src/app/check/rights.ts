import type { KubeResult } from '../../kube/api.ts';
import { asRecord } from '../../kube/json.ts';
import type { Check, CheckInputs, Finding } from './check.ts';
import { failed, ok, unanswered } from './findings.ts';
import { type NeededRight, neededRights } from './needed-rights.ts';

const reviews = { group: 'authorization.k8s.io', version: 'v1', plural: 'subjectaccessreviews' };

/** What a xebec without it does not do is said once per purpose, with all that is missing. */
export const checkRights: Check = async (inputs, signal) => {
  const groups = Map.groupBy(neededRights(inputs), ({ purpose }) => purpose);
  const account = `system:serviceaccount:${inputs.config.namespace}:${inputs.config.service}`;
  const findings = await Promise.all(
    [...groups].map(([purpose, rights]) => judge({ inputs, purpose, account, rights }, signal)),
  );
  // Who may not ask about one may not ask about any.
  const isSkipped = findings.every(({ state }) => state === 'skipped');
  return isSkipped ? findings.slice(0, 1) : findings;
};

type Question = {
  readonly inputs: CheckInputs;
  readonly purpose: string;
  readonly account: string;
  readonly rights: readonly NeededRight[];
};

async function judge({ inputs, purpose, account, rights }: Question, signal: AbortSignal): Promise<Finding> {
  const asked = rights.flatMap((right) => right.verbs.map((verb) => ({ right, verb })));
  const answers = await Promise.all(
    asked.map(async (one) => ({ ...one, allowed: await mayDo(inputs, { ...one, account }, signal) })),
  );
  const missing: string[] = [];
  for (const { right, verb, allowed } of answers) {
    if (!allowed.ok) return unanswered(`what ${account} may do`, allowed.error);
    if (!allowed.value) missing.push(`${verb} ${describe(right)}`);
  }
  if (missing.length === 0) return ok(`${inputs.config.service} ${purpose}, and may`);
  const what =
    missing.length > 5 ? `${missing.slice(0, 5).join(', ')} and ${missing.length - 5} more` : missing.join(', ');
  return failed(
    `${inputs.config.service} ${purpose}, but may not ${what}`,
    `grant it to ${account}; the chart’s ClusterRole and Role do`,
  );
}

type Act = { readonly right: NeededRight; readonly verb: string; readonly account: string };

async function mayDo(
  { kube }: CheckInputs,
  { right, verb, account }: Act,
  signal: AbortSignal,
): Promise<KubeResult<boolean>> {
  const { group, plural, subresource, name, namespace } = right;
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user: account, resourceAttributes: { group, resource: plural, subresource, name, namespace, verb } },
  };
  const answer = await kube.create(reviews, review, signal);
  return answer.ok ? { ok: true, value: asRecord(answer.value['status'])['allowed'] === true } : answer;
}

function describe({ group, plural, subresource, name, namespace }: NeededRight): string {
  const resource = `${plural}${group === '' ? '' : `.${group}`}${subresource === undefined ? '' : `/${subresource}`}`;
  return `${resource}${name === undefined ? '' : ` ${name}`}${namespace === undefined ? '' : ` in ${namespace}`}`;
}
