import { isRecord } from '../is-record.ts';
import { type ConditionType, conditionTypes } from './conditions.ts';

/** What of an object's status, as it is in the API, this component may have written. */
export type PresentStatus = {
  readonly observedGeneration: unknown;
  readonly programmed: unknown;
  readonly programmedProxies: unknown;
  readonly knownProxies: unknown;
  readonly validationMessages: unknown;
  readonly conditions: ReadonlyMap<ConditionType, PresentCondition>;
};

export type PresentCondition = {
  readonly status: unknown;
  readonly reason: unknown;
  readonly message: unknown;
  readonly observedGeneration: unknown;
  readonly lastTransitionTime: unknown;
};

export function readPresent(body: Readonly<Record<string, unknown>>): PresentStatus {
  const status = isRecord(body['status']) ? body['status'] : {};
  const list: readonly unknown[] = Array.isArray(status['conditions']) ? status['conditions'] : [];
  return {
    observedGeneration: status['observedGeneration'],
    programmed: status['programmed'],
    programmedProxies: status['programmedProxies'],
    knownProxies: status['knownProxies'],
    validationMessages: status['validationMessages'],
    conditions: new Map(list.filter(isRecord).flatMap(readCondition)),
  };
}

function readCondition(
  raw: Readonly<Record<string, unknown>>,
): readonly (readonly [ConditionType, PresentCondition])[] {
  const type = conditionTypes.find((each) => each === raw['type']);
  if (type === undefined) return [];
  const { status, reason, message, observedGeneration, lastTransitionTime } = raw;
  return [[type, { status, reason, message, observedGeneration, lastTransitionTime }]];
}

/** Whether the present status says that a generation was programmed. */
export function wasProgrammed({ conditions }: PresentStatus, generation: number | undefined): boolean {
  const condition = conditions.get('Programmed');
  return generation !== undefined && condition?.status === 'True' && condition.observedGeneration === generation;
}
