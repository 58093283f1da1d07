import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { checkout, nodeBinary } from '../../tools/paths.mjs';
import type { ApiServer } from './api-server.ts';
import type { FlakyProxy } from './flaky-proxy.ts';
import { eventually } from './kube-copy.ts';

/** Writes of one leader in one of its terms. */
type Term = { readonly name: string; readonly first: bigint; last: bigint };

/** Processes that compete for one Lease, each behind a proxy of its own. */
export class Election {
  readonly #server: ApiServer;
  readonly #journal: string;
  readonly #candidates = new Map<string, ChildProcess>();
  readonly proxies = new Map<string, FlakyProxy>();
  #starts = 0;

  constructor(server: ApiServer, folder: string) {
    this.#server = server;
    this.#journal = join(folder, 'journal');
    writeFileSync(this.#journal, '');
  }

  /** The terms in the order in which they begin. */
  get terms(): readonly Term[] {
    const terms = new Map<string, Term>();
    for (const line of readFileSync(this.#journal, 'utf8').split('\n')) {
      const [time = '', name = ''] = line.split(' ');
      if (name === '') continue;
      const known = terms.get(name);
      if (known === undefined) terms.set(name, { name, first: BigInt(time), last: BigInt(time) });
      else known.last = BigInt(time);
    }
    return [...terms.values()].sort((a, b) => (a.first < b.first ? -1 : 1));
  }

  /** Terms that begin before the one before them has ended. */
  get overlaps(): readonly string[] {
    const { terms } = this;
    return terms.flatMap((term, index) => {
      const before = terms[index - 1];
      return before !== undefined && before.last >= term.first ? [`${before.name} and ${term.name}`] : [];
    });
  }

  get leader(): string {
    return this.terms.at(-1)?.name.split('/')[0] ?? '';
  }

  async join(): Promise<void> {
    const name = `candidate-${(this.#starts += 1)}`;
    const proxy = await this.#server.flakyProxy();
    const kubeconfig = this.#server.userKubeconfig(name, ['system:masters'], proxy.url);
    const program = join(checkout, 'test/support/apps/candidate.ts');
    const child = spawn(nodeBinary, [program, kubeconfig, name, this.#journal], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    this.#candidates.set(name, child);
    this.proxies.set(name, proxy);
  }

  signal(name: string, signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL' | 'SIGTERM'): void {
    this.#candidates.get(name)?.kill(signal);
  }

  async end(): Promise<void> {
    await Promise.all(
      [...this.#candidates.values()].map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const exit = once(child, 'exit');
        child.kill('SIGKILL');
        await exit;
      }),
    );
  }
}

/** Until the end of the test. */
export async function holdElection(server: ApiServer, candidates: number): Promise<Election> {
  const folder = await mkdtemp(join(tmpdir(), 'xebec-election-'));
  const election = new Election(server, folder);
  onTestFinished(async () => {
    await election.end();
    await rm(folder, { recursive: true, force: true });
  });
  for (let count = 0; count < candidates; count += 1) await election.join();
  await eventually('somebody leads', () => election.leader !== '');
  return election;
}
