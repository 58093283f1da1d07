// What `npm run demo -- --check` does: the whole tour through Bookinfo, and each observation as its YAML says.
import { afterEach, expect, test } from 'vitest';
import { canRunLocal, LocalMesh } from './local-mesh.ts';

let mesh: LocalMesh | undefined;

afterEach(async () => {
  await mesh?.end();
});

test.skipIf(!canRunLocal)(
  'the tour passes',
  async () => {
    mesh = new LocalMesh({});
    const played = await mesh.run('demo', '--check');
    expect(played.code === 0 ? '' : `${played.stderr}${played.stdout}`).toBe('');
    expect(played.stdout).not.toContain('✗');
    expect(mesh.states()).toEqual([]);
  },
  240_000,
);
