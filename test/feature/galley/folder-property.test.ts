import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { collections } from '../../../src/apis/collections.ts';
import type { Galley } from '../../../src/galley/galley.ts';
import { documents, Folder, RunningGalley, route } from './harness.ts';

const files = ['a.yaml', 'b.yml', 'one/a.yaml', 'one/two/c.yaml', 'three/d.json'] as const;
const names = ['p', 'q', 'r'] as const;

/** What a file may hold: good documents, some with the same names as others'; or one that cannot be read beside them. */
const contents = fc
  .array(fc.record({ name: fc.constantFrom(...names), host: fc.constantFrom('h1', 'h2', 'not_a_host!') }), {
    maxLength: 4,
  })
  .chain((routes) =>
    fc.record({
      text: fc.constant(documents(...routes.map(({ name, host }) => route(name, { host })))),
      damage: fc.constantFrom('', '', '', '---\nbroken: [\n', '---\nkind: Nothing\n', '--', '\0'),
    }),
  )
  .map(({ text, damage }) => ({ text, damage }));

const edit = fc.oneof(
  fc.record({ kind: fc.constant('write' as const), file: fc.constantFrom(...files), contents }),
  fc.record({ kind: fc.constant('replace' as const), file: fc.constantFrom(...files), contents }),
  fc.record({ kind: fc.constant('remove' as const), path: fc.constantFrom(...files, 'one', 'one/two', 'three') }),
  fc.record({
    kind: fc.constant('move' as const),
    from: fc.constantFrom(...files, 'one'),
    to: fc.constantFrom(...files, 'moved'),
  }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 40 }) }),
);
type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never;

it('ends where a fresh start would, whatever happened in between', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 25 }), async (edits) => {
      const folder = await Folder.make();
      const running = await RunningGalley.synced(folder.path);
      for (const one of edits) await apply(folder, one);
      await repair(folder, edits);
      const fresh = await RunningGalley.synced(folder.path);
      const wanted = stateOf(fresh.galley);
      await running.until(() => stateOf(running.galley) === wanted);
      expect(stateOf(running.galley)).toBe(wanted);
      await running.stop();
      await fresh.stop();
    }),
    { numRuns: 25 },
  );
});

async function apply(folder: Folder, one: Edit): Promise<void> {
  switch (one.kind) {
    case 'write':
    case 'replace': {
      const text = one.contents.text + one.contents.damage;
      await clear(folder, one.file);
      await mkdir(dirname(folder.at(one.file)), { recursive: true });
      return one.kind === 'write' ? writeFile(folder.at(one.file), text) : folder.replace(one.file, text);
    }
    case 'remove':
      return rm(folder.at(one.path), { recursive: true, force: true });
    case 'move':
      await mkdir(dirname(folder.at(one.to)), { recursive: true }).catch(() => undefined);
      return rename(folder.at(one.from), folder.at(one.to)).catch(() => undefined);
    case 'wait':
      return new Promise((resolve) => setTimeout(resolve, one.ms));
  }
}

/** A file may stand where a folder shall be, and a folder where a file shall be. */
async function clear(folder: Folder, file: string): Promise<void> {
  for (let at = dirname(file); at !== '.'; at = dirname(at)) {
    await writeFile(join(folder.at(at), '.probe'), '').catch(() => rm(folder.at(at), { recursive: true, force: true }));
  }
  await rm(folder.at(file), { recursive: true, force: true });
}

/** What cannot be read keeps what was there before, which a fresh start cannot know: in the end all is good. */
async function repair(folder: Folder, edits: readonly Edit[]): Promise<void> {
  for (const one of edits) {
    if (one.kind !== 'write' && one.kind !== 'replace') continue;
    await clear(folder, one.file);
    await folder.write(one.file, one.contents.text.replaceAll('not_a_host!', 'h3'));
  }
  const written = edits.flatMap((one) => ('file' in one ? [one.file] : []));
  for (const other of ['moved', ...files.filter((file) => !written.includes(file))]) {
    await rm(folder.at(other), { recursive: true, force: true });
  }
}

function stateOf(galley: Galley): string {
  const objects = galley.snapshot()?.objects;
  const lists = Object.values(collections).map(({ kind }) =>
    objects?.[kind].map(({ key, meta, spec }) => ({ key, meta, spec })),
  );
  return JSON.stringify([lists, galley.diagnostics()]);
}
