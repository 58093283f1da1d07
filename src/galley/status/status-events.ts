import type { EventNote } from '../../kube/api.ts';
import { type ConditionType, conditionOf, type ObjectStatus } from './conditions.ts';
import type { PresentStatus } from './present-status.ts';

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
  const wasSaid = before?.observedGeneration === status.generation && before?.message === now?.message;
  if (now === undefined || wasSaid) return [];
  const wasTrouble = before?.reason === 'Rejected' || before?.reason === 'ProgrammedWithExceptions';
  const isSameTrouble = wasTrouble && before.observedGeneration === status.generation;
  if (status.isRefused && !isSameTrouble)
    return [{ type: 'Warning', reason: 'RejectedByProxy', message: now.message, action: 'Program' }];
  if (wasTrouble && now.reason === 'Programmed')
    return [{ type: 'Normal', reason: 'AcceptedAgain', message: now.message, action: 'Program' }];
  return [];
}
