import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { nodeBinary } from '../../tools/paths.mjs';
import { serverPrefix } from '../measure/machine.ts';
import { readUsage, type Usage } from './proc.ts';

/** A server of bare-https.ts in a process of its own, where xebec runs too. */
export class BareHttps {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(certFile: string, keyFile: string): Promise<BareHttps> {
    const [program = '', ...prefix] = [...serverPrefix(), nodeBinary];
    const file = fileURLToPath(new URL('./bare-https.ts', import.meta.url));
    const child = spawn(program, [...prefix, file, certFile, keyFile], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const [{ port }] = (await once(child, 'message')) as [{ readonly port: number }];
    return new BareHttps(child, port);
  }

  usage(): Usage {
    return readUsage(this.#child.pid ?? 0);
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.disconnect();
    await ended;
  }
}
