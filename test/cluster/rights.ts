import { parseDocument } from '../../src/galley/yaml/parse-document.ts';
import { splitDocuments } from '../../src/galley/yaml/split-documents.ts';

/** `patch virtualservices.networking.istio.io/status`, and whether it was allowed. */
export type UsedRight = {
  readonly right: string;
  readonly verb: string;
  readonly resource: string;
  readonly allowed: boolean;
};

type AuditEvent = {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: {
    readonly resource?: string;
    readonly apiGroup?: string;
    readonly subresource?: string;
    readonly name?: string;
  };
  readonly annotations?: Readonly<Record<string, string>>;
};

/** What an account asked of the API server, by its audit log. */
export function usedRights(auditLog: string, account: string): readonly UsedRight[] {
  const used = new Map<string, UsedRight>();
  for (const line of auditLog.split('\n')) {
    if (!line.includes(account)) continue;
    const { verb, user, objectRef, annotations } = JSON.parse(line) as AuditEvent;
    const { resource: plural, apiGroup, subresource } = objectRef ?? {};
    if (user.username !== account || plural === undefined) continue;
    const resource = `${plural}${apiGroup === undefined ? '' : `.${apiGroup}`}${subresource === undefined ? '' : `/${subresource}`}`;
    const allowed = annotations?.['authorization.k8s.io/decision'] !== 'forbid';
    const right = `${verb} ${resource}`;
    used.set(`${right} ${allowed}`, { right, verb, resource, allowed });
  }
  return [...used.values()];
}

type Rule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
};

/** Where roles and use differ: what was asked for and refused, and what is granted and was not used. */
export function unlike(
  roles: string,
  used: readonly UsedRight[],
): { readonly refused: readonly string[]; readonly unused: readonly string[] } {
  const granted = grantedRights(roles);
  const unused = granted.filter(
    ({ verb, pattern }) => !used.some((one) => one.verb === verb && pattern.test(one.resource)),
  );
  return {
    refused: used.filter(({ allowed }) => !allowed).map(({ right }) => right),
    unused: unused.map(({ right }) => right).sort(),
  };
}

type GrantedRight = { readonly right: string; readonly verb: string; readonly pattern: RegExp };

function grantedRights(roles: string): readonly GrantedRight[] {
  return splitDocuments(roles)
    .flatMap(({ text }) => rulesOf(text))
    .flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => granted(verb, resource, group))),
      ),
    );
}

function granted(verb: string, resource: string, group: string): GrantedRight {
  const [plural = '', subresource] = resource.split('/');
  const name = `${plural}${group === '' ? '' : `.${group}`}${subresource === undefined ? '' : `/${subresource}`}`;
  const source = name.replaceAll('.', String.raw`\.`).replace('*', '[a-z]+');
  return { right: `${verb} ${name}`, verb, pattern: new RegExp(`^${source}$`) };
}

function rulesOf(text: string): readonly Rule[] {
  const parsed = parseDocument(text);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return (parsed.value.value as { readonly rules?: readonly Rule[] } | null)?.rules ?? [];
}
