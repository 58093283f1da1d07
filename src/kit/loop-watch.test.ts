import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { watchEventLoop } from './loop-watch.ts';

function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe('the watch of the event loop', () => {
  it('sees a block once', async () => {
    const watch = watchEventLoop();
    await sleep(60);
    watch.read();
    await sleep(60);
    block(300);
    await sleep(60);
    // The block may begin just before a look was due.
    expect(watch.read().maxMs).toBeGreaterThan(250);
    await sleep(60);
    expect(watch.read().maxMs).toBeLessThan(250);
    watch.stop();
  });
});
