import { expect, test } from 'vitest';
import type { ConfigSnapshot } from '../../model/config-snapshot.ts';
import { PreparedFeed } from './prepared-feed.ts';

/** A feed whose snapshots are numbers in disguise, and preparations that end when the test says so. */
function world() {
  const listeners = new Set<() => void>();
  const finish: (() => void)[] = [];
  const prepared: unknown[] = [];
  const heard: unknown[] = [];
  let newest: ConfigSnapshot | undefined;
  const feed = new PreparedFeed(
    {
      snapshot: () => newest,
      onChange: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    (snapshot) => {
      prepared.push(snapshot);
      return new Promise((resolve) => finish.push(resolve));
    },
  );
  feed.onChange(() => heard.push(feed.snapshot()));
  const publish = (id: string): void => {
    newest = id as unknown as ConfigSnapshot;
    for (const listener of listeners) listener();
  };
  const done = async (): Promise<void> => {
    finish.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { feed, publish, done, prepared, heard };
}

test('nothing is prepared before the first consumer is there', async () => {
  const { feed, publish, prepared, done } = world();
  publish('a');
  expect(prepared).toEqual([]);
  const started = feed.start();
  expect(prepared).toEqual(['a']);
  expect(feed.snapshot()).toBeUndefined();
  await done();
  await started;
  expect(feed.snapshot()).toBe('a');
});

test('a consumer that comes before the first snapshot waits for none', async () => {
  const { feed, publish, done, heard } = world();
  await feed.start();
  publish('a');
  await done();
  expect(heard).toEqual(['a']);
});

test('snapshots that come while one is prepared replace each other', async () => {
  const { feed, publish, done, prepared, heard } = world();
  await feed.start();
  for (const id of ['a', 'b', 'c']) publish(id);
  await done();
  expect(heard).toEqual(['a']);
  await done();
  expect(prepared).toEqual(['a', 'c']);
  expect(heard).toEqual(['a', 'c']);
});

test('a snapshot that comes in the very moment in which another is done is not forgotten', async () => {
  const { feed, publish, done, heard } = world();
  await feed.start();
  publish('a');
  const stop = feed.onChange(() => {
    stop();
    queueMicrotask(() => publish('b'));
  });
  await done();
  await done();
  expect(heard).toEqual(['a', 'b']);
});
