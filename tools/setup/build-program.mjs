// Builds one Go program into the cache. It takes minutes, so it says how far it is.
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { buildFolder, moduleFolder } from '../cluster-programs.mjs';
import { cacheFolder, goBinary, Remedy } from '../paths.mjs';
import { since } from './run.mjs';

const progressEveryMs = 15_000;
const linesOfAFailure = 20;

/**
 * @param {import('../cluster-programs.mjs').Build} build
 * @param {readonly string[]} links other names to call the program by
 */
export async function buildProgram(build, links) {
  const target = buildFolder(build);
  const scratch = mkdtempSync(join(cacheFolder(), 'build-'));
  try {
    await runGo(build, join(scratch, build.name));
    // What mkdtemp makes is ours alone; programs that a test runs as another user are not.
    chmodSync(scratch, 0o755);
    for (const link of links) symlinkSync(build.name, join(scratch, link));
    // Complete, or not there at all; another checkout may have been faster.
    if (!existsSync(target)) renameSync(scratch, target);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * @param {import('../cluster-programs.mjs').Build} build
 * @param {string} target
 */
async function runGo(build, target) {
  const go = goBinary();
  if (go === undefined) throw new Remedy('no Go of the version that setup asks for');
  const linker = ['-s', '-w', ...build.flags].join(' ');
  const child = spawn(
    go,
    ['build', '-v', '-buildvcs=false', '-trimpath', '-ldflags', linker, '-o', target, build.main],
    {
      cwd: moduleFolder(build),
      stdio: ['ignore', 'inherit', 'pipe'],
      env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOTOOLCHAIN: 'local', GOWORK: 'off' },
    },
  );
  const start = Date.now();
  const report = new Report();
  child.stderr.on('data', (chunk) => report.add(String(chunk)));
  const timer = setInterval(
    () => console.log(`setup: ${build.name} ${build.version}: ${report.progress} (${since(start)})`),
    progressEveryMs,
  );
  const status = await new Promise((resolve) => child.on('close', resolve).on('error', () => resolve('no start')));
  clearInterval(timer);
  if (status === 0) return;
  console.error(report.lastLines);
  throw new Remedy(`Go did not build ${build.name} ${build.version}: see above`);
}

/** What `go build -v` says: a line for each module it fetches, one for each package it compiles, and what went wrong. */
class Report {
  #text = '';

  /** @param {string} text */
  add(text) {
    this.#text += text;
  }

  get progress() {
    const lines = this.#text.split('\n');
    const fetched = lines.filter((line) => line.startsWith('go: downloading ')).length;
    const compiled = lines.filter((line) => /^[\w./~-]+$/.test(line)).length;
    return `${fetched} modules fetched, ${compiled} packages compiled`;
  }

  get lastLines() {
    return this.#text.trimEnd().split('\n').slice(-linesOfAFailure).join('\n');
  }
}
