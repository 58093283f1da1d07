import type { Condition, ProgrammedReason } from './conditions.ts';
import { fitMessage } from './conditions.ts';
import type { Distribution, ObjectDistribution, Refusal } from './distribution.ts';

/** Up to this share of the proxies may refuse, or not answer, while an object counts as programmed. */
const EXCEPTION_SHARE = 0.25;

/** A proxy that has not confirmed for so long is an exception: it must not keep the others' success from being told. */
const PATIENCE_MS = 30_000;

export type ProgrammedInputs = {
  /** Whether the newest version of the object is the one in force. */
  readonly isAdmitted: boolean;
  /** The generation that is in force instead. */
  readonly inForce: number | undefined;
  /** Whether anything acts on the kind. */
  readonly isEnforced: boolean;
  /** Of the object as it is in force. */
  readonly counts: ObjectDistribution;
  /** The refusal that is this object's fault, or may be. */
  readonly refusal: Refusal | undefined;
  readonly replicas: Pick<Distribution, 'replicas' | 'silent' | 'isBehind'>;
  /** Whether this generation was programmed before. */
  readonly isLatched: boolean;
  /** For how long some proxy has not confirmed it. */
  readonly openMs: number;
};

type Verdict = Pick<Condition, 'status' | 'message'> & {
  readonly reason: ProgrammedReason;
  /** How many proxies have it; nothing where that means nothing. */
  readonly programmed: number | undefined;
};

type Check = (inputs: ProgrammedInputs) => Verdict | undefined;

/** The first that has something to say decides. */
const checks: readonly Check[] = [invalid, notEnforced, rejected, silentReplicas, noProxies, heldBack, pending];

export function judgeProgrammed(inputs: ProgrammedInputs): Verdict {
  for (const check of checks) {
    const verdict = check(inputs);
    if (verdict !== undefined) return verdict;
  }
  return {
    status: 'True',
    reason: 'Programmed',
    message: 'the proxies that use the object have confirmed it',
    programmed: reached(inputs),
  };
}

function invalid({ isAdmitted, inForce }: ProgrammedInputs): Verdict | undefined {
  if (isAdmitted) return undefined;
  const kept = inForce === undefined ? '' : `; generation ${inForce} stays in force`;
  return {
    status: 'False',
    reason: 'Invalid',
    message: `proxies do not get what is invalid${kept}`,
    programmed: undefined,
  };
}

function notEnforced({ isEnforced }: ProgrammedInputs): Verdict | undefined {
  if (isEnforced) return undefined;
  const message = 'this version of xebec stores and validates the kind but does not act on it yet';
  return { status: 'False', reason: 'NotEnforcedYet', message, programmed: undefined };
}

/** Many refusals take the success back, few are exceptions from it. */
function rejected(inputs: ProgrammedInputs): Verdict | undefined {
  const { counts, refusal } = inputs;
  const lacking = counts.refused + counts.heldBack;
  if (refusal === undefined || lacking === 0) return undefined;
  const message = refusalMessage(counts, refusal);
  const programmed = reached(inputs);
  if (lacking / counts.known > EXCEPTION_SHARE) return { status: 'False', reason: 'Rejected', message, programmed };
  if (inputs.isLatched || isPatient(inputs))
    return { status: 'True', reason: 'ProgrammedWithExceptions', message, programmed };
  return { status: 'Unknown', reason: 'Pending', message, programmed };
}

function refusalMessage(
  { refused, heldBack, known }: ObjectDistribution,
  { blame, path, proxy, error }: Refusal,
): string {
  const who = `${Math.max(1, refused)} of ${known} proxies refused it`;
  const others = heldBack === 0 ? '' : ` (the others keep the form before)`;
  const where = path === '' ? '' : ` ${path}:`;
  return fitMessage(`${blame === 'unclear' ? 'suspected: ' : ''}${who}${others}:${where} `, error, ` (pod ${proxy})`);
}

function silentReplicas(inputs: ProgrammedInputs): Verdict | undefined {
  const { silent, replicas } = inputs.replicas;
  if (silent === 0 || inputs.isLatched) return undefined;
  const message = `${silent} of ${replicas} replicas of xebec do not say what their proxies have`;
  return { status: 'Unknown', reason: 'Pending', message, programmed: reached(inputs) };
}

function noProxies({ counts, isLatched, replicas }: ProgrammedInputs): Verdict | undefined {
  if (counts.known > 0) return undefined;
  if (isLatched) {
    const message = 'confirmed by the proxies that used the object; none does now';
    return { status: 'True', reason: 'Programmed', message, programmed: 0 };
  }
  if (counts.undecided > 0 || replicas.isBehind) {
    const message = 'not handed to proxies yet';
    return { status: 'Unknown', reason: 'Pending', message, programmed: 0 };
  }
  const message = 'no proxy uses this object: none is connected that its hosts, gateways or selectors concern';
  return { status: 'Unknown', reason: 'NoProxies', message, programmed: 0 };
}

/** What was programmed before is a part of what proxies keep; what is new is not. */
function heldBack(inputs: ProgrammedInputs): Verdict | undefined {
  const { counts, isLatched } = inputs;
  const lacking = counts.heldBack + counts.refused;
  if (lacking === 0 || isLatched) return undefined;
  const [refusal] = counts.refusals;
  const culprit = refusal?.suspects.map(nameOf).slice(0, 2).join(', ') ?? '';
  const because = culprit === '' ? 'another object' : culprit;
  const message = fitMessage(
    `${lacking} of ${counts.known} proxies keep the form before, because a proxy refused what they would get together with it: `,
    because,
  );
  return { status: 'False', reason: 'HeldBack', message, programmed: reached(inputs) };
}

/** New proxies of what was programmed before change nothing, unless they never confirm it. */
function pending(inputs: ProgrammedInputs): Verdict | undefined {
  const { counts, isLatched } = inputs;
  const open = counts.pending + counts.undecided;
  const isLate = inputs.openMs >= PATIENCE_MS;
  if (open === 0 || (isLatched && !isLate)) return undefined;
  const programmed = reached(inputs);
  const few = `${open} of ${counts.known} proxies have not confirmed it`;
  if (isLatched || isPatient(inputs)) {
    const message = `${few} for ${PATIENCE_MS / 1000} s; /debug/syncz says which`;
    return { status: 'True', reason: 'ProgrammedWithExceptions', message, programmed };
  }
  return { status: 'Unknown', reason: 'Pending', message: `${few} yet`, programmed };
}

/** Whether so few have not confirmed, for so long, that they are exceptions. */
function isPatient({ counts, openMs }: ProgrammedInputs): boolean {
  const open = counts.pending + counts.undecided;
  return open === 0 || (openMs >= PATIENCE_MS && open / Math.max(1, counts.known) <= EXCEPTION_SHARE);
}

function reached({ counts, isLatched, refusal }: ProgrammedInputs): number {
  const isKept = isLatched && refusal === undefined;
  return counts.programmed + (isKept ? counts.heldBack + counts.refused : 0);
}

/** `VirtualService/shop/reviews` as people write it. */
function nameOf(key: string): string {
  const [kind = '', ...name] = key.split('/');
  return `${kind} ${name.filter((part) => part !== '').join('/')}`;
}
