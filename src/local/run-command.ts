import { spawn } from 'node:child_process';

export type CommandResult = { readonly code: number | undefined; readonly stdout: string; readonly stderr: string };

/** Runs a program to its end with arguments as they are: no shell ever reads them. */
export function runCommand(argv: readonly string[], input = ''): Promise<CommandResult> {
  const [program = '', ...args] = argv;
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    // A program that ends without reading its input is no failure of ours; its exit code tells.
    child.stdin.on('error', () => undefined);
    child.on('error', (error) => resolve({ code: undefined, stdout, stderr: error.message }));
    child.on('close', (code) => resolve({ code: code ?? undefined, stdout, stderr }));
    child.stdin.end(input);
  });
}

/** Like `runCommand`, for what has to work: rejects with what the program said. */
export async function mustRun(argv: readonly string[], input = ''): Promise<string> {
  const { code, stdout, stderr } = await runCommand(argv, input);
  if (code === 0) return stdout;
  const said = stderr.trim() === '' ? `exit code ${code ?? 'unknown'}` : stderr.trim();
  throw new Error(`${argv.join(' ')}: ${said}`);
}
