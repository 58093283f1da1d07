import type { EventNote } from '../../kube/api.ts';
import { type ConditionType, conditionOf, type ObjectStatus } from './conditions.ts';
import type { PresentCondition, PresentStatus } from './present-status.ts';

/** The transitions from the present status that are worth an Event. */
export function eventsBetween(present: PresentStatus, status: ObjectStatus): readonly EventNote[] {
  return [
    ...becomes({
      present,
      status,
      type: 'ResolvedRefs',
      value: 'False',
      reason: 'ReferenceMissing',
      action: 'Resolve',
    }),
    ...becomes({ present, status, type: 'Conflicted', value: 'True', reason: 'Conflict', action: 'Analyze' }),
    ...refusals(present, status),
  ];
}

type Transition = {
  readonly present: PresentStatus;
  readonly status: ObjectStatus;
  readonly type: ConditionType;
  readonly value: 'True' | 'False';
  readonly reason: string;
  readonly action: string;
};

function becomes({ present, status, type, value, reason, action }: Transition): readonly EventNote[] {
  const now = conditionOf(status, type);
  const before = present.conditions.get(type);
  if (now?.status !== value || (before?.status === value && before.reason === now.reason)) return [];
  return [{ type: 'Warning', reason, message: now.message, action }];
}

function refusals(present: PresentStatus, status: ObjectStatus): readonly EventNote[] {
  const now = conditionOf(status, 'Programmed');
  const before = present.conditions.get('Programmed');
  if (now === undefined) return [];
  const { message } = now;
  const wasTrouble = isTrouble(before);
  if (wasTrouble && now.reason === 'Programmed') return [note('Normal', 'AcceptedAgain', message)];
  if (!status.isRefused) return [];
  const isOfThis = before?.observedGeneration === status.generation;
  const isKnown = isOfThis && (wasTrouble || before?.message === message);
  return isKnown ? [] : [note('Warning', 'RejectedByProxy', message)];
}

function isTrouble(condition: PresentCondition | undefined): boolean {
  return condition?.reason === 'Rejected' || condition?.reason === 'ProgrammedWithExceptions';
}

function note(type: EventNote['type'], reason: string, message: string): EventNote {
  return { type, reason, message, action: 'Program' };
}
