import type { Field } from '../finding.ts';
import { checkSubnet } from '../rules/names.ts';
import { warnDeprecated } from '../rules/scalars.ts';
import { nearest } from '../schema/words.ts';
import { checkPattern, checkPortText, checkPrincipal, checkServiceAccounts, checkValues } from './check-values.ts';
import type { AuthorizationCondition } from './security.ts';

type CheckList = (field: Field, values: readonly string[] | undefined) => void;

const addresses: CheckList = (field, values) => checkValues(field, values, checkSubnet);
const patterns: CheckList = (field, values) => checkValues(field, values, checkPattern);

/** What a request can be asked for, and what the answers look like. */
const keys: ReadonlyMap<string, CheckList> = new Map([
  ['source.ip', addresses],
  ['remote.ip', addresses],
  ['source.namespace', patterns],
  ['source.serviceAccount', checkServiceAccounts],
  ['source.principal', (field, values) => checkValues(field, values, checkPrincipal)],
  ['source.user', patterns],
  ['request.auth.principal', patterns],
  ['request.auth.audiences', patterns],
  ['request.auth.presenter', patterns],
  ['destination.ip', addresses],
  ['destination.port', (field, values) => checkValues(field, values, checkPortText)],
  ['connection.sni', patterns],
]);

/** Those that name in brackets which one is meant. */
const keysOfMaps: readonly string[] = [
  'request.headers',
  'request.experimental.inline.headers',
  'request.auth.claims',
  'experimental.envoy.filters.',
];

/** What only policies of 1.1 could ask for. */
const replaced: ReadonlyMap<string, string> = new Map([
  ['destination.namespace', 'remove it: a policy is for its own namespace'],
  ['destination.labels', 'use selector'],
  ['destination.name', 'use selector'],
  ['destination.user', 'use selector'],
]);

export function checkCondition(field: Field, condition: AuthorizationCondition): void {
  const { key, values, notValues } = condition;
  const check = checkKey(field.at('key'), key);
  if ((values ?? []).length === 0 && (notValues ?? []).length === 0) {
    field.error('XEB0322', { problem: 'has neither values nor notValues', fix: 'add one of them' });
    return;
  }
  check(field.at('values'), values);
  check(field.at('notValues'), notValues);
}

/** Judges a key; what it returns judges the values. */
function checkKey(at: Field, key: string): CheckList {
  if (key === '') {
    at.error('XEB0322', { problem: 'is empty', fix: 'name what is compared' });
    return checkValues;
  }
  if (key === 'source.user') warnDeprecated(at, 'source.principal');
  const plain = keys.get(key);
  if (plain !== undefined) return plain;
  const ofMap = keysOfMaps.find((prefix) => key.startsWith(prefix));
  if (ofMap === undefined) refuseKey(at, key);
  else if (!/^[^[]+\[.+\]$/.test(key)) {
    const allowed = `${ofMap.replace(/\.$/, '.name')}[…]`;
    at.error('XEB0322', { problem: 'does not say in brackets which one', got: key, allowed });
  }
  return patterns;
}

function refuseKey(at: Field, key: string): void {
  const bare = key.replace(/\[.*$/, '');
  const instead = replaced.get(bare);
  if (instead !== undefined) {
    at.error('XEB0322', { problem: 'cannot be a condition any more', got: key, fix: instead });
    return;
  }
  const known = [...keys.keys(), ...keysOfMaps.map((prefix) => prefix.replace(/\.$/, ''))];
  const meant = nearest(bare, known);
  const fix = meant === undefined ? {} : { fix: `did you mean ${meant}?` };
  at.error('XEB0322', { problem: 'is not a known key', got: key, allowed: known.join(', '), ...fix });
}

/** Whether the answer is known only after peers or tokens are authenticated. */
export function restsOnAuthentication(key: string): boolean {
  return /^source\.(?:namespace|principal|serviceAccount|user)$/.test(key) || key.startsWith('request.auth.');
}
