import { codes as issueCodes } from '../../apis/codes.ts';
import { renderPath } from '../../apis/issue.ts';
import { codesWithoutEffect } from '../../apis/rules/no-effect-yet.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { galleyCodes } from '../codes.ts';
import { conditionOfCode } from './condition-codes.ts';
import {
  type Condition,
  type ConditionType,
  fitMessage,
  type ObjectStatus,
  type ValidationMessage,
} from './conditions.ts';
import { judgeProgrammed, type ProgrammedInputs } from './judge-programmed.ts';

export type ObjectInputs = {
  readonly generation: number | undefined;
  /** All of this object. */
  readonly diagnostics: readonly Diagnostic[];
  readonly programmed: ProgrammedInputs;
};

/** `ReferencedResourceNotFound`, as Istio names its codes. */
const titles: ReadonlyMap<string, string> = new Map(
  Object.entries({ ...issueCodes, ...galleyCodes }).map(([code, { title }]) => [code, camelCase(title)]),
);

function camelCase(title: string): string {
  const words = title.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  return words.map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`).join('');
}

/** More would be for the command line. */
const MOST_MESSAGES = 20;

/** Everything there is to say of one object. */
export function judgeObject({ generation, diagnostics, programmed }: ObjectInputs): ObjectStatus {
  const isEnforced = diagnostics.every(({ code }) => !codesWithoutEffect.has(code));
  const verdict = judgeProgrammed({ ...programmed, isEnforced });
  const { status, reason, message } = verdict;
  const conflict = found(diagnostics, 'Conflicted');
  return {
    generation,
    conditions: [
      accepted(programmed, diagnostics),
      found(diagnostics, 'ResolvedRefs') ?? resolved,
      ...(conflict === undefined ? [] : [conflict]),
      { type: 'Programmed', status, reason, message },
    ],
    programmed:
      verdict.programmed === undefined ? undefined : { programmed: verdict.programmed, known: programmed.counts.known },
    validationMessages: diagnostics.slice(0, MOST_MESSAGES).map(validationMessage),
    isRefused: programmed.isAdmitted && isEnforced && programmed.refusal !== undefined,
  };
}

const resolved: Condition = {
  type: 'ResolvedRefs',
  status: 'True',
  reason: 'ResolvedRefs',
  message: 'everything that the object names is there',
};

function accepted({ isAdmitted, inForce }: ProgrammedInputs, diagnostics: readonly Diagnostic[]): Condition {
  if (isAdmitted)
    return { type: 'Accepted', status: 'True', reason: 'Accepted', message: 'the object is valid and in force' };
  const errors = diagnostics.filter(({ level }) => level === 'error');
  const kept = inForce === undefined ? '' : `; generation ${inForce} stays in force`;
  return { type: 'Accepted', status: 'False', reason: 'Invalid', message: tell(errors, kept) };
}

/** The condition that some of the diagnostics decide. The worst, then the first, is told; of the others how many they are. */
function found(diagnostics: readonly Diagnostic[], type: ConditionType): Condition | undefined {
  const ours = diagnostics
    .filter(({ code, level }) => level !== 'info' && conditionOfCode[code]?.type === type)
    .sort((a, b) => Number(b.level === 'error') - Number(a.level === 'error'));
  const reason = conditionOfCode[ours[0]?.code ?? '']?.reason;
  if (reason === undefined) return undefined;
  return { type, status: type === 'Conflicted' ? 'True' : 'False', reason, message: tell(ours, '') };
}

function tell(diagnostics: readonly Diagnostic[], end: string): string {
  const [first, ...others] = diagnostics;
  if (first === undefined) return fitMessage('', '', end);
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  const where = first.path.length === 0 ? '' : `${renderPath(first.path)}: `;
  return fitMessage(where, first.message, `${more}${end}`);
}

/** As Istio writes them; their addresses are of Istio's pages, which there are for its own codes only. */
function validationMessage({ code, level, path, message }: Diagnostic): ValidationMessage {
  const levels = { error: 'ERROR', warning: 'WARNING', info: 'INFO' } as const;
  const where = path.length === 0 ? '' : `${renderPath(path)}: `;
  const name = titles.get(code);
  const url = `https://istio.io/latest/docs/reference/config/analysis/${code.toLowerCase()}/`;
  return {
    type: { code, ...(name === undefined ? {} : { name }) },
    level: levels[level],
    message: fitMessage(where, message),
    ...(code.startsWith('IST') ? { documentationUrl: url } : {}),
  };
}
