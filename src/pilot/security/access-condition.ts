import type { AuthorizationCondition } from '../../apis/security/security.ts';
import type { AccessFlaw, AccessQuestion, AccessTest } from '../translate/access/plan.ts';
import { refuses } from '../translate/access/stance.ts';
import type { Place } from '../translate/policy/diagnose.ts';
import { parseServiceAccount, patterns, type RuleContext, stepInto, testsOf } from './access-test.ts';
import { parsePrincipal } from './principals.ts';

export type ReadCondition = { readonly tests: readonly AccessTest[]; readonly flaws: readonly AccessFlaw[] };

/** What a key asks, by values; also of a condition of the classic API. Undefined for a key that nobody knows. */
export function questionOf(
  key: string,
  context: RuleContext,
): ((values: readonly string[]) => AccessQuestion) | undefined {
  return plainQuestion(key, context) ?? mapQuestion(key);
}

export function readCondition(
  { key, values, notValues }: AuthorizationCondition,
  context: RuleContext,
  at: Place,
): ReadCondition {
  const question = questionOf(key, context);
  if (question !== undefined) {
    const member = { name: 'values', values, notName: 'notValues', notValues };
    return { tests: testsOf(at, member, question), flaws: [] };
  }
  // Admission refuses such keys. Should one get here all the same, nobody gets in by it.
  const place = stepInto(at, 'key');
  const flaws = [{ place, message: `key ${key} is not known` }];
  if (refuses(context.action)) return { tests: [], flaws };
  const never: AccessTest = { isNegated: false, place, about: 'destination-port', values: [] };
  return { tests: [never], flaws };
}

type Question = (values: readonly string[]) => AccessQuestion;

function plainQuestion(key: string, { namespace, trustDomains }: RuleContext): Question | undefined {
  switch (key) {
    case 'source.ip':
      return (values) => ({ about: 'source-ip', values });
    case 'remote.ip':
      return (values) => ({ about: 'remote-ip', values });
    case 'destination.ip':
      return (values) => ({ about: 'destination-ip', values });
    case 'destination.port':
      return (values) => ({ about: 'destination-port', values: values.map(Number) });
    case 'source.namespace':
      return (values) => ({ about: 'namespace', values: patterns(values) });
    case 'source.serviceAccount':
      return (values) => ({
        about: 'service-account',
        values: values.map((value) => parseServiceAccount(value, namespace)),
      });
    case 'source.principal':
    case 'source.user':
      return (values) => ({
        about: 'principal',
        values: values.flatMap((value) => parsePrincipal(value, trustDomains)),
      });
    case 'connection.sni':
      return (values) => ({ about: 'sni', values: patterns(values) });
    default:
      return tokenQuestion(key);
  }
}

function tokenQuestion(key: string): Question | undefined {
  switch (key) {
    case 'request.auth.principal':
      return (values) => ({ about: 'request-principal', values: patterns(values) });
    case 'request.auth.audiences':
      return (values) => ({ about: 'claim', claim: ['aud'], values: patterns(values) });
    case 'request.auth.presenter':
      return (values) => ({ about: 'claim', claim: ['azp'], values: patterns(values) });
    default:
      return undefined;
  }
}

const FILTERS = 'experimental.';

/** Keys that say in brackets which one is meant. */
function mapQuestion(key: string): Question | undefined {
  const names = [...key.matchAll(/\[([^[\]]*)\]/g)].map(([, name = '']) => name);
  const [name] = names;
  if (name === undefined || name === '') return undefined;
  const of = key.slice(0, key.indexOf('['));
  switch (of) {
    case 'request.headers':
      return headerQuestion(name);
    case 'request.experimental.inline.headers':
      return (values) => ({ about: 'inline-header', header: name, values: patterns(values) });
    case 'request.auth.claims':
      return (values) => ({ about: 'claim', claim: names, values: patterns(values) });
    default:
      return of.startsWith(`${FILTERS}envoy.filters.`) ? filterQuestion(of.slice(FILTERS.length), name) : undefined;
  }
}

/** The host and the method have other names too, and are compared as under those. */
function headerQuestion(name: string): Question {
  switch (name.toLowerCase()) {
    case ':authority':
    case 'host':
      return (values) => ({ about: 'host', values: patterns(values) });
    case ':method':
      return (values) => ({ about: 'method', values: patterns(values) });
    default:
      return (values) => ({ about: 'header', header: name, values: patterns(values) });
  }
}

/** `[text]` is one text of a list. */
function filterQuestion(filter: string, key: string): Question {
  return (values) => {
    const isList = values.length > 0 && values.every((value) => /^\[.+\]$/.test(value));
    return {
      about: 'metadata',
      filter,
      key,
      isList,
      values: patterns(values.map((value) => (isList ? value.slice(1, -1) : value))),
    };
  };
}
