import { spawn } from 'node:child_process';

export type CommandResult = {
  readonly stdout: string;
  readonly stderr: string;
  /** Of a program that a signal ended: 128 and more, as in a shell. */
  readonly status: number;
};

export type CommandInputs = {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly stdin?: string | undefined;
};

/** Runs a program to its end. That it fails is a result, that it cannot be started is not. */
export function runCommand({ program, args, environment = {}, stdin }: CommandInputs): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...process.env, ...environment } });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', reject);
    child.on('close', (code) =>
      resolve({
        stdout: Buffer.concat(stdout).toString('utf8'),
        stderr: Buffer.concat(stderr).toString('utf8'),
        status: code ?? 128,
      }),
    );
    // One that does not read its input closes it before we have written.
    child.stdin.on('error', () => undefined);
    child.stdin.end(stdin ?? '');
  });
}
