import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { type Runnable, runAll } from './run-group.ts';

function untilStopped(name: string, ended: string[]): Runnable {
  return {
    name,
    run: async (signal) => {
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      ended.push(name);
    },
  };
}

function failing(name: string, error: Error): Runnable {
  return { name, run: () => Promise.reject(error) };
}

describe('parts that run together', () => {
  test('run until the signal, and all end before it is over', async () => {
    const stop = new AbortController();
    const ended: string[] = [];
    const running = runAll([untilStopped('a', ended), untilStopped('b', ended)], stop.signal);
    expect(ended).toEqual([]);
    stop.abort();
    await running;
    expect(ended).toEqual(['a', 'b']);
    expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
  });

  test('stop at once under a signal that is aborted already', async () => {
    const ended: string[] = [];
    await runAll([untilStopped('a', ended)], AbortSignal.abort());
    expect(ended).toEqual(['a']);
  });

  test('the first that fails stops the others, and the error names it and its cause', async () => {
    const ended: string[] = [];
    const cause = new Error('no space');
    const error = await runAll([untilStopped('a', ended), failing('b', cause)], new AbortController().signal).catch(
      (caught: unknown) => caught,
    );
    expect(ended).toEqual(['a']);
    expect(error).toMatchObject({ message: 'b failed', errors: [{ message: 'b failed', cause }] });
  });

  test('a part that fails while it stops is told of beside the first', async () => {
    const stubborn: Runnable = {
      name: 'c',
      run: async (signal) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        throw new Error('cannot close');
      },
    };
    const running = runAll([stubborn, failing('b', new Error('no space'))], new AbortController().signal);
    await expect(running).rejects.toThrow('b failed; c failed');
  });

  test('a part that ends by itself is a failure: nobody else would notice', async () => {
    const ended: string[] = [];
    const short: Runnable = { name: 'short', run: () => Promise.resolve() };
    const running = runAll([short, untilStopped('a', ended)], new AbortController().signal);
    await expect(running).rejects.toThrow('short ended before it was told to');
    expect(ended).toEqual(['a']);
  });
});
