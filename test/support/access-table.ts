import type { AuthorizationPolicySpec, AuthorizationRule } from '../../src/apis/security/security.ts';
import { identities } from './random-access.ts';

// Rows of a table: policies, and who gets through.

export type Call = {
  readonly tcp?: boolean;
  /** An index of `identities`; undefined for plaintext. */
  readonly as?: number;
  readonly sni?: string;
  readonly from?: string;
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  /** Header lines. */
  readonly headers?: readonly string[];
  /** An index of tokens. */
  readonly token?: number;
};

export type Row = {
  readonly name: string;
  readonly policies: readonly AuthorizationPolicySpec[];
  readonly through: readonly Call[];
  readonly refused: readonly Call[];
};

type Rules = readonly AuthorizationRule[];

export const allow = (...rules: Rules): AuthorizationPolicySpec => ({ action: 'ALLOW', rules: [...rules] });
export const deny = (...rules: Rules): AuthorizationPolicySpec => ({ action: 'DENY', rules: [...rules] });

type Source = NonNullable<NonNullable<AuthorizationRule['from']>[number]['source']>;
type Operation = NonNullable<NonNullable<AuthorizationRule['to']>[number]['operation']>;

export const from = (source: Source): AuthorizationRule => ({ from: [{ source }] });
export const to = (operation: Operation): AuthorizationRule => ({ to: [{ operation }] });
export const when = (key: string, ...values: readonly string[]): AuthorizationRule => ({
  when: [{ key, values: [...values] }],
});
export const unless = (key: string, ...notValues: readonly string[]): AuthorizationRule => ({
  when: [{ key, notValues: [...notValues] }],
});

/** The same rule lets in, and keeps out, the same callers. */
export function bothWays(
  name: string,
  rule: AuthorizationRule,
  meant: readonly Call[],
  others: readonly Call[],
): Row[] {
  return [
    { name: `ALLOW ${name}`, policies: [allow(rule)], through: meant, refused: others },
    { name: `DENY ${name}`, policies: [deny(rule)], through: others, refused: meant },
  ];
}

export const cart = 0;
export const front = 1;
export const till = 2;
export const cartV1 = 3;
export const everybody: readonly Call[] = identities.map((_, as) => ({ as }));
export const plaintext: Call = {};

/** Over HTTP and over TCP. */
export function onBoth(calls: readonly Call[]): readonly Call[] {
  return calls.flatMap((call) => [call, { ...call, tcp: true }]);
}
