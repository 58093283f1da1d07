import { join } from 'node:path';
import { checkout } from '../../tools/paths.mjs';
import { type CommandResult, runCommand } from './command.ts';

/** `xebec check`, as a person runs it. */
export function xebecCheck(args: readonly string[]): Promise<CommandResult> {
  return runCommand({ program: join(checkout, 'bin', 'xebec'), args: ['check', ...args] });
}
