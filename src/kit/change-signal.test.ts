import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { ChangeSignal } from './change-signal.ts';

describe('a change signal', () => {
  test('tells at once of a change that came before the wait, once', async () => {
    const changes = new ChangeSignal();
    const stop = new AbortController();
    changes.raise();
    changes.raise();
    await expect(changes.next(stop.signal)).resolves.toBe(true);
    const second = changes.next(stop.signal);
    stop.abort();
    await expect(second).resolves.toBe(false);
  });

  test('wakes who waits', async () => {
    const changes = new ChangeSignal();
    const waiting = changes.next(new AbortController().signal);
    changes.raise();
    await expect(waiting).resolves.toBe(true);
  });

  test('an aborted wait does not swallow the change', async () => {
    const changes = new ChangeSignal();
    const stop = new AbortController();
    const waiting = changes.next(stop.signal);
    changes.raise();
    stop.abort();
    await expect(waiting).resolves.toBe(false);
    await expect(changes.next(new AbortController().signal)).resolves.toBe(true);
  });

  test('does not wait for a signal that is aborted already', async () => {
    await expect(new ChangeSignal().next(AbortSignal.abort())).resolves.toBe(false);
  });

  test('leaves nothing behind at the signal', async () => {
    const changes = new ChangeSignal();
    const { signal } = new AbortController();
    for (let turn = 0; turn < 3; turn += 1) {
      const waiting = changes.next(signal);
      changes.raise();
      await waiting;
    }
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
