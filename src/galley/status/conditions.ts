import { conflictReasons, referenceReasons } from './condition-codes.ts';

/** In the order in which they are written. `Conflicted` is there only where there is a conflict. */
export const conditionTypes = ['Accepted', 'ResolvedRefs', 'Conflicted', 'Programmed'] as const;
export type ConditionType = (typeof conditionTypes)[number];

const programmedReasons = [
  'Programmed',
  'ProgrammedWithExceptions',
  'Pending',
  'NoProxies',
  'Rejected',
  'HeldBack',
  'Invalid',
  'NotEnforcedYet',
] as const;
export type ProgrammedReason = (typeof programmedReasons)[number];

/** Every reason that a condition may have. The list is closed and published in docs/status.md. */
export const reasonsOf = {
  Accepted: ['Accepted', 'Invalid'],
  ResolvedRefs: ['ResolvedRefs', ...referenceReasons],
  Conflicted: conflictReasons,
  Programmed: programmedReasons,
} as const satisfies Readonly<Record<ConditionType, readonly string[]>>;
type Reason = (typeof reasonsOf)[ConditionType][number];

/** A condition before anybody knows since when it is so. */
export type Condition = {
  readonly type: ConditionType;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: Reason;
  readonly message: string;
};

/** One of Istio's analysis messages, as tools read it from a status. */
export type ValidationMessage = {
  readonly type: { readonly code: string; readonly name?: string };
  readonly level: 'ERROR' | 'WARNING' | 'INFO';
  /** Istio 1.4 had it, today's does not: what is wrong, and where. */
  readonly message: string;
  readonly documentationUrl?: string;
};

/** What is to be said of one object. */
export type ObjectStatus = {
  readonly generation: number | undefined;
  readonly conditions: readonly Condition[];
  /** `12/12`; nothing where the object is not meant for proxies now. */
  readonly programmed: { readonly programmed: number; readonly known: number } | undefined;
  readonly validationMessages: readonly ValidationMessage[];
  /** Whether a proxy refuses what comes from the object. */
  readonly isRefused: boolean;
};

const LONGEST = 256;

/** Shortens a text in its middle part, so that its beginning and its end stay whole. */
export function fitMessage(before: string, middle = '', after = ''): string {
  const text = `${before}${middle}${after}`.replaceAll(/\s+/g, ' ').trim();
  if (text.length <= LONGEST) return text;
  const room = LONGEST - before.length - after.length - 1;
  if (room < 20) return `${text.slice(0, LONGEST - 1)}…`;
  return `${before}${middle.replaceAll(/\s+/g, ' ').slice(0, room)}…${after}`.slice(0, LONGEST);
}

export function conditionOf({ conditions }: ObjectStatus, type: ConditionType): Condition | undefined {
  return conditions.find((condition) => condition.type === type);
}
