import { performance } from 'node:perf_hooks';
import type { Clock } from './clock.ts';

/** The only reader of the machine's clock and the only maker of timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) {
        resolve();
        return;
      }
      const finish = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', finish);
        resolve();
      };
      const timer = setTimeout(finish, ms);
      signal.addEventListener('abort', finish, { once: true });
    }),
  yield: () => new Promise((resolve) => setImmediate(resolve)),
};
