import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderHotSpots } from '../measure/hot-spots.ts';
import type { XebecProcess } from '../server/xebec-process.ts';
import type { RowContext } from './row.ts';

/** Runs something, with a CPU profile of the server if profiles are asked for. Figures taken with one are no results. */
export async function withProfile<T>(
  { profileTo }: Pick<RowContext, 'profileTo'>,
  server: XebecProcess,
  name: string,
  run: () => Promise<T>,
): Promise<T> {
  if (profileTo === undefined) return await run();
  const inspector = await server.inspect();
  await inspector.startProfile();
  const result = await run();
  const profile = await inspector.stopProfile();
  writeFileSync(join(profileTo, `${name}.cpuprofile`), JSON.stringify(profile));
  writeFileSync(join(profileTo, `${name}.txt`), `${renderHotSpots(profile).join('\n')}\n`);
  inspector.close();
  return result;
}
