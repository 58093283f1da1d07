import { createInterface } from 'node:readline';
import { runCli } from './cli/cli.ts';
import { VERSION } from './cli/version.ts';
import { systemClock } from './kit/system-clock.ts';

const stop = new AbortController();
const signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM'];
// A terminal that closes ends a mesh in order. Others keep what nohup decided.
if (process.argv[2] === 'local') signals.push('SIGHUP');
for (const name of signals) process.on(name, () => stop.abort());
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // Nobody reads any more (`| head`, a closed terminal): stop, but in order.
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
    stop.abort();
  });
}

process.exitCode = await runCli(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isTerminal: process.stdout.isTTY === true,
  env: process.env,
  readStdin: async () => {
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk as Uint8Array));
    return Buffer.concat(chunks).toString('utf8');
  },
  readLine: (signal) =>
    new Promise((resolve) => {
      const lines = createInterface({ input: process.stdin });
      const finish = (line: string | undefined): void => {
        signal.removeEventListener('abort', onAbort);
        // Closing tells of the end at once, and the line must be first.
        resolve(line);
        lines.close();
      };
      const onAbort = (): void => finish(undefined);
      signal.addEventListener('abort', onAbort, { once: true });
      lines.once('line', finish);
      lines.once('close', () => finish(undefined));
    }),
  signal: stop.signal,
  clock: systemClock,
  platform: process.platform,
  uid: process.getuid?.() ?? -1,
  pid: process.pid,
  cwd: process.cwd(),
  self: [process.execPath, ...process.execArgv, process.argv[1] ?? ''],
  kill: (pid, signal) => {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  },
  version: VERSION,
});
