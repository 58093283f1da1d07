import { runCli } from '../../../src/cli/cli.ts';
import { VERSION } from '../../../src/cli/version.ts';
import { systemClock } from '../../../src/kit/system-clock.ts';
import { checkout } from './documents.ts';

export type Run = { readonly code: number; readonly out: string; readonly err: string };

/** Types a command in the checkout, as a person without rights; nothing is ever killed or started. */
export async function xebec(args: readonly string[]): Promise<Run> {
  let out = '';
  let err = '';
  const code = await runCli(args, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    isTerminal: false,
    env: {},
    readStdin: () => Promise.resolve(''),
    readLine: () => Promise.resolve(undefined),
    signal: new AbortController().signal,
    clock: systemClock,
    platform: process.platform,
    uid: 65_534,
    pid: process.pid,
    cwd: checkout,
    self: [process.execPath],
    kill: () => undefined,
    version: VERSION,
  });
  return { code, out, err };
}
