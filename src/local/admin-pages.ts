import type { Diagnostic } from '../model/diagnostic.ts';
import { type Fields, fieldsOf, listAt, numberAt, textAt } from './fields.ts';
import { socketGet } from './socket-get.ts';
import { readSupervisor } from './state.ts';

/** A resource that a proxy refused; what it had before stays in force. */
export type Refusal = {
  readonly resource: string;
  readonly error: string;
  readonly proxy: string;
  readonly objects: readonly string[];
};

/** What the control plane of a mesh complains of; undefined when it does not answer. */
export type Complaints = {
  readonly diagnostics: readonly Diagnostic[];
  readonly refusals: readonly Refusal[];
  /** What is wrong with what signs identities, with the remedy. */
  readonly authority?: string | undefined;
};

export async function readComplaints(stateFolder: string): Promise<Complaints | undefined> {
  const [diagnostics, refused, authority] = await Promise.all([
    readList(stateFolder, '/debug/diagnosticsz'),
    readList(stateFolder, '/debug/refusedz'),
    readPage(stateFolder, '/debug/authorityz'),
  ]);
  if (diagnostics === undefined || refused === undefined) return undefined;
  const { problem } = fieldsOf(authority);
  return {
    diagnostics: diagnostics.map(readDiagnostic),
    refusals: refused.map(readRefusal),
    authority: typeof problem === 'string' ? problem : undefined,
  };
}

/** Whether so many proxies at least are connected, and each has confirmed all that there is for it, or refused it. */
export async function isInStep(stateFolder: string, proxies: number): Promise<boolean> {
  const streams = await readList(stateFolder, '/debug/syncz');
  return streams !== undefined && streams.length >= proxies && streams.every(isStreamInStep);
}

function isStreamInStep(stream: Fields): boolean {
  if (stream['is_writing'] === true) return false;
  return listAt(stream, 'types')
    .map(fieldsOf)
    .every((type) => {
      const isWaiting = type['isAwaitingAnswer'] === true || numberAt(type, 'held') > 0;
      const isSent = textAt(type, 'sentVersion') === textAt(type, 'targetVersion') || type['lastError'] !== undefined;
      return isSent && !isWaiting;
    });
}

/** A debug page that is a list. */
async function readList(stateFolder: string, path: string): Promise<readonly Fields[] | undefined> {
  const value = await readPage(stateFolder, path);
  return Array.isArray(value) ? value.map(fieldsOf) : undefined;
}

async function readPage(stateFolder: string, path: string): Promise<unknown> {
  const supervisor = await readSupervisor(stateFolder);
  if (supervisor === undefined) return undefined;
  const reply = await socketGet({ host: '127.0.0.1', port: supervisor.adminPort }, path);
  return reply?.status === 200 ? parse(reply.body) : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readDiagnostic(fields: Fields): Diagnostic {
  const level = textAt(fields, 'level');
  const object = fieldsOf(fields['object']);
  const at = fieldsOf(fields['at']);
  return {
    code: textAt(fields, 'code'),
    level: level === 'warning' || level === 'info' ? level : 'error',
    path: listAt(fields, 'path').filter((step) => typeof step === 'string' || typeof step === 'number'),
    message: textAt(fields, 'message'),
    object:
      fields['object'] === undefined
        ? undefined
        : { kind: textAt(object, 'kind'), namespace: textAt(object, 'namespace'), name: textAt(object, 'name') },
    at:
      fields['at'] === undefined
        ? undefined
        : { file: textAt(at, 'file'), line: numberAt(at, 'line'), column: numberAt(at, 'column') },
  };
}

function readRefusal(fields: Fields): Refusal {
  return {
    resource: textAt(fields, 'resource'),
    error: textAt(fields, 'error'),
    proxy: textAt(fields, 'refusedBy'),
    objects: listAt(fields, 'objects').map(String),
  };
}
