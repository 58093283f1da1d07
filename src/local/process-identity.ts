import { readdir, readFile } from 'node:fs/promises';

/** A process that is not mistaken for another one that later got the same number. */
export type ProcessIdentity = { readonly pid: number; readonly startTime: string };

type Stat = { readonly parent: number; readonly state: string; readonly startTime: string };

/** Undefined when there is no such process. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const found = await readStat(pid);
  return found === undefined ? undefined : { pid, startTime: found.startTime };
}

export async function isAlive({ pid, startTime }: ProcessIdentity): Promise<boolean> {
  const found = await readStat(pid);
  return found !== undefined && found.startTime === startTime && found.state !== 'Z';
}

export async function childrenOf(parent: number): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const stats = await Promise.all(pids.map(readStat));
  return pids.filter((_, index) => stats[index]?.parent === parent);
}

async function readStat(pid: number): Promise<Stat | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : parseStat(text);
}

/** `pid (name) state ppid …`; the name may hold spaces and brackets. The start time is field 22, in ticks since boot. */
export function parseStat(text: string): Stat | undefined {
  const rest = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parent] = rest;
  const startTime = rest[19];
  if (state === undefined || parent === undefined || startTime === undefined) return undefined;
  return { state, parent: Number(parent), startTime };
}
