import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../kit/system-clock.ts';
import type { Kill } from '../local-io.ts';
import { ProcessKeeper, type ProcessSpec } from './process-keeper.ts';

let folder = '';
const stop = { controller: new AbortController() };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'xebec-keeper-'));
  stop.controller = new AbortController();
});
afterEach(() => {
  stop.controller.abort();
  rmSync(folder, { recursive: true, force: true });
});

const kill: Kill = (pid, signal) => {
  try {
    process.kill(pid, signal);
  } catch {
    // It is gone.
  }
};

function keep(
  argv: ProcessSpec['argv'],
  graceMs = 2_000,
): { readonly keeper: ProcessKeeper; readonly run: Promise<void> } {
  const logFile = join(folder, 'log');
  const keeper = new ProcessKeeper(
    { argv, env: { PATH: process.env['PATH'] ?? '' }, logFile, graceMs },
    { clock: systemClock, kill, onChange: () => undefined },
  );
  return { keeper, run: keeper.run(stop.controller.signal) };
}

function readLog(): string {
  try {
    return readFileSync(join(folder, 'log'), 'utf8');
  } catch {
    return '';
  }
}

async function until(isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!isSo() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(isSo()).toBe(true);
}

const isRunning = (pid: number): boolean => {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
};

describe('a process that is kept', () => {
  test('is started again when it ends, and says how it ended', async () => {
    const { keeper, run } = keep(['sh', '-c', 'echo told; exit 3']);
    await until(() => keeper.restarts >= 2);
    expect(keeper.lastExit).toBe('exit code 3');
    stop.controller.abort();
    await run;
    expect(readLog()).toMatch(/^told\ntold\n/);
  });

  test('ends with the signal, and takes its children along', async () => {
    const { keeper, run } = keep(['sh', '-c', 'sleep 300 & echo $!; wait']);
    await until(() => readLog().includes('\n'));
    const child = Number(readLog());
    const own = keeper.pid ?? 0;
    expect([own, child].every(isRunning)).toBe(true);
    stop.controller.abort();
    await run;
    await until(() => ![own, child].some(isRunning));
    expect(keeper.pid).toBeUndefined();
  });

  test('that does not listen is killed when its grace is over', async () => {
    const { keeper, run } = keep(['sh', '-c', "trap '' TERM; echo deaf; while :; do sleep 1; done"], 100);
    await until(() => readLog().includes('deaf'));
    const own = keeper.pid ?? 0;
    stop.controller.abort();
    await run;
    await until(() => !isRunning(own));
  });

  test('that does not exist is tried again, not thrown', async () => {
    const { keeper, run } = keep(['/no/such/program']);
    await until(() => keeper.restarts >= 1);
    expect(keeper.lastExit).toContain('ENOENT');
    stop.controller.abort();
    await run;
  });
});
