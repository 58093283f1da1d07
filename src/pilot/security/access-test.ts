import { type Pattern, parsePattern } from '../translate/access/pattern.ts';
import type {
  AccessAction,
  AccessQuestion,
  AccessTest,
  PathTemplate,
  ServiceAccount,
} from '../translate/access/plan.ts';
import type { Place } from '../translate/policy/diagnose.ts';

/** What the values of a rule are read with. */
export type RuleContext = {
  readonly namespace: string;
  readonly trustDomains: readonly string[];
  readonly action: AccessAction;
};

/** Of a member and the one that negates it; empty lists ask for nothing. */
export type Member<Value> = {
  readonly name: string;
  readonly values: readonly Value[] | undefined;
  readonly notName: string;
  readonly notValues: readonly Value[] | undefined;
};

export function testsOf<Value>(
  at: Place,
  { name, values = [], notName, notValues = [] }: Member<Value>,
  question: (values: readonly Value[]) => AccessQuestion,
): readonly AccessTest[] {
  return [
    ...(values.length === 0 ? [] : [{ isNegated: false, place: stepInto(at, name), ...question(values) }]),
    ...(notValues.length === 0 ? [] : [{ isNegated: true, place: stepInto(at, notName), ...question(notValues) }]),
  ];
}

export function stepInto({ object, path }: Place, step: string): Place {
  return { object, path: `${path}${step.startsWith('[') ? '' : '.'}${step}` };
}

export function patterns(values: readonly string[]): readonly Pattern[] {
  return values.map(parsePattern);
}

export function parsePath(text: string): Pattern | PathTemplate {
  return text.includes('{*}') || text.includes('{**}') ? { kind: 'template', text } : parsePattern(text);
}

/** `namespace/name`, or the name of an account of the policy's own namespace. */
export function parseServiceAccount(text: string, ownNamespace: string): ServiceAccount {
  const [first = '', second] = text.split('/');
  return second === undefined ? { namespace: ownNamespace, name: first } : { namespace: first, name: second };
}
