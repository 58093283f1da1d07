// What `npm run demo -- --check` does: the whole tour through Bookinfo, and each observation as its YAML says. The tour judges itself;
// what it has to show of mutual TLS and of policy is looked for here, too.
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
    const [, mutual = '', strict = '', access = ''] = played.stdout.split(
      /── \d+ of \d+: (?:mutual TLS|STRICT|who may)/,
    );
    expect(mutual).toMatch(/x-forwarded-client-cert: .*URI=spiffe:\/\/cluster\.local\/ns\/default\/sa\/sleep/);
    expect(strict).toMatch(/default\/sleep +mutual TLS +200 +200\n/);
    expect(strict).toMatch(/legacy\/sleep +plain text +200 +refused/);
    expect(access).toMatch(/default\/sleep +403 +RBAC: access denied +ns\[default\]-policy\[deny-sleep\]-rule\[0\]\n/);
    expect(mesh.states()).toEqual([]);
  },
  240_000,
);
