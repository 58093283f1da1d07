import type { Subject as BindingSubject } from '../../apis/security/security.ts';
import { sortedEntries } from '../../kit/order.ts';
import type { AccessTest } from '../translate/access/plan.ts';
import type { Place } from '../translate/policy/diagnose.ts';
import { type ReadCondition, readCondition } from './access-condition.ts';
import { type Member, patterns, type RuleContext, stepInto, testsOf } from './access-test.ts';
import { parsePrincipal } from './principals.ts';

/** Names of the classic API for everybody, and for everybody with an identity. */
const EVERYBODY: ReadonlySet<string> = new Set(['*', 'allUsers']);
const AUTHENTICATED = 'allAuthenticatedUsers';

/** Whom a binding gives a role. One that names nobody is nobody. */
export function readSubject(subject: BindingSubject, context: RuleContext, at: Place): ReadCondition {
  const { user, group, properties = {} } = subject;
  const names = user === undefined || user === '' ? [] : [user];
  const isEverybody = [...names, ...(subject.names ?? [])].some((name) => EVERYBODY.has(name));
  const groups = [...(group === undefined || group === '' ? [] : [group]), ...(subject.groups ?? [])];
  const read = sortedEntries(properties).map(([key, value]) =>
    readProperty(key, value, { context, at: stepInto(at, 'properties') }),
  );
  const tests = [
    ...(isEverybody ? [] : principals(at, { name: 'user', values: names, notName: '', notValues: [] }, context)),
    ...principals(
      at,
      { name: 'names', values: isEverybody ? [] : subject.names, notName: 'notNames', notValues: subject.notNames },
      context,
    ),
    ...testsOf(
      at,
      { name: 'groups', values: groups, notName: 'notGroups', notValues: subject.notGroups },
      (values) => ({ about: 'claim', claim: ['groups'], values: patterns(values) }),
    ),
    ...testsOf(at, listsOf(subject, 'namespaces', 'notNamespaces'), (values) => ({
      about: 'namespace',
      values: patterns(values),
    })),
    ...testsOf(at, listsOf(subject, 'ips', 'notIps'), (values) => ({ about: 'source-ip', values })),
    ...read.flatMap((one) => one.tests),
  ];
  const flaws = read.flatMap((one) => one.flaws);
  if (tests.length > 0 || isEverybody) return { tests, flaws };
  return { tests: [{ isNegated: false, place: at, about: 'principal', values: [] }], flaws };
}

type PropertyContext = { readonly context: RuleContext; readonly at: Place };

/** What says where a connection goes says nothing of who it comes from. */
function readProperty(key: string, value: string, { context, at }: PropertyContext): ReadCondition {
  const isOfSource = /^(?:source\.|remote\.ip$|request\.|experimental\.)/.test(key);
  if (isOfSource) return readCondition({ key, values: [value] }, context, at);
  const flaws = [{ place: at, message: `${key} is not a property of a subject, so this subject is nobody` }];
  return { tests: [{ isNegated: false, place: at, about: 'principal', values: [] }], flaws };
}

function principals(at: Place, member: Member<string>, { trustDomains }: RuleContext): readonly AccessTest[] {
  return testsOf(at, member, (values) => ({
    about: 'principal',
    values: values.flatMap((value) => parsePrincipal(value === AUTHENTICATED ? '*' : value, trustDomains)),
  }));
}

function listsOf(
  subject: BindingSubject,
  name: 'namespaces' | 'ips',
  notName: 'notNamespaces' | 'notIps',
): Member<string> {
  return { name, values: subject[name], notName, notValues: subject[notName] };
}
