import { mkdir, readdir, readlink, rmdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { POD_IDENTITY_FOLDER } from '../../app/pod-identities.ts';
import type { Programs } from '../programs.ts';
import { mustRun } from '../run-command.ts';

const HOST = '.host';

/**
 * Gives the mesh's mount namespace an `/etc` of its own, in memory: the host's entries, and an empty folder for identities, which
 * the host need not have. The host's own `/etc` is not touched, and keys never reach a disk. `staging` is an empty folder to be.
 */
export async function makeOwnEtc({ mount }: Pick<Programs, 'mount'>, staging: string): Promise<void> {
  await mkdir(staging);
  await mustRun([mount, '-t', 'tmpfs', '-o', 'mode=0755,nosuid,nodev', 'xebec-etc', staging]);
  await mkdir(join(staging, HOST));
  await mustRun([mount, '--rbind', '/etc', join(staging, HOST)]);
  for (const entry of await readdir('/etc', { withFileTypes: true })) {
    const { name } = entry;
    if (join('/etc', name) === POD_IDENTITY_FOLDER || name === HOST) continue;
    // A link is copied: what it says may lead out of `/etc`, and holds at this depth only.
    await symlink(entry.isSymbolicLink() ? await readlink(join('/etc', name)) : join(HOST, name), join(staging, name));
  }
  await mkdir(join(staging, POD_IDENTITY_FOLDER.slice('/etc/'.length)), { mode: 0o755 });
  // From here on nothing in the state folder leads to the host's files: whoever removes that removes only that.
  await mustRun([mount, '--move', staging, '/etc']);
  await rmdir(staging);
}
