import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isAlive } from './process-identity.ts';
import {
  claimState,
  findRunning,
  identifySelf,
  readSupervisor,
  type Supervisor,
  stateFolderOf,
  sweepStates,
} from './state.ts';

let root = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'xebec-state-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function supervisor(wish: Partial<Supervisor> = {}): Promise<Supervisor> {
  return {
    process: await identifySelf(process.pid),
    mesh: undefined,
    root: '/somewhere',
    folder: '/somewhere/platform',
    publish: [{ hostPort: 8080, servicePort: 80 }],
    adminPort: 15014,
    temporaryFolder: undefined,
    ...wish,
  };
}

/** A process that had our number before us. */
const gone = { pid: process.pid, startTime: '1' };

describe.skipIf(process.platform !== 'linux')('the state folder of a mesh', () => {
  test('is read as it was written', async () => {
    const folder = stateFolderOf(root, '/somewhere');
    const written = await supervisor({ mesh: { pid: 7, startTime: '8' }, temporaryFolder: '/tmp/none' });
    expect(await claimState(folder, written)).toBe(true);
    expect(await readSupervisor(folder)).toEqual(written);
    expect(await findRunning(folder)).toEqual(written);
  });

  test('belongs to one supervisor, however many begin at once', async () => {
    const folder = stateFolderOf(root, '/somewhere');
    const mine = await supervisor();
    const claims = await Promise.all(Array.from({ length: 8 }, () => claimState(folder, mine)));
    expect(claims.filter(Boolean)).toHaveLength(1);
    expect(readdirSync(root)).toHaveLength(1);
  });

  test('of a supervisor that is gone is taken over, though its number is in use again', async () => {
    const folder = stateFolderOf(root, '/somewhere');
    expect(await isAlive(gone)).toBe(false);
    expect(await claimState(folder, await supervisor({ process: gone }))).toBe(true);
    expect(await findRunning(folder)).toBeUndefined();
    expect(await claimState(folder, await supervisor())).toBe(true);
    expect(await findRunning(folder)).toBeDefined();
  });

  test('a sweep takes what killed ones left, with their copies of folders, and nothing else', async () => {
    const copy = join(root, 'copy');
    mkdirSync(copy);
    await claimState(stateFolderOf(root, '/killed'), await supervisor({ process: gone, temporaryFolder: copy }));
    await claimState(stateFolderOf(root, '/running'), await supervisor());
    mkdirSync(join(root, `claim-${process.pid}-x`));
    mkdirSync(join(root, 'claim-999999999-x'));
    writeFileSync(join(root, 'notes.txt'), 'somebody else’s');
    const killed: number[] = [];
    expect(await sweepStates(root, (pid) => killed.push(pid))).toBe(2);
    const running = stateFolderOf(root, '/running').slice(root.length + 1);
    expect(readdirSync(root).sort()).toEqual([running, `claim-${process.pid}-x`, 'notes.txt'].sort());
    expect(killed).toEqual([]);
  });

  test('a mesh that outlived its supervisor is ended, if it is still that one', async () => {
    const mesh = await identifySelf(process.pid);
    const killed: number[] = [];
    await claimState(stateFolderOf(root, '/a'), await supervisor({ process: gone, mesh }));
    await claimState(stateFolderOf(root, '/b'), await supervisor({ process: gone, mesh: gone }));
    await sweepStates(root, (pid) => killed.push(pid));
    expect(killed).toEqual([process.pid]);
  });

  test('rubbish in its place is no supervisor', async () => {
    const folder = stateFolderOf(root, '/somewhere');
    mkdirSync(folder);
    for (const text of ['', '[]', 'null', '{"process":{"pid":"x"}}', '{"process":{"pid":1}}']) {
      writeFileSync(join(folder, 'supervisor.json'), text);
      expect(await readSupervisor(folder)).toBeUndefined();
    }
    expect(await claimState(folder, await supervisor())).toBe(true);
  });
});
