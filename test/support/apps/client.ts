// Calls from inside a pod, as told over a unix socket: `client.ts DIR` listens on DIR/DEPLOYMENT.client (its pod's name without hash
// and number). A connection is one line of JSON with a command, answered by one line of JSON.
import { rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientCommand, LoadPlan, LoadSummary, Outcome } from './calls.ts';
import { Caller, performBatch } from './perform.ts';

const EXAMPLES = 20;

/** One load that runs. */
class Load {
  readonly #plan: LoadPlan;
  readonly #results: Record<string, number> = {};
  readonly #examples: string[] = [];
  readonly #workers: readonly Promise<void>[];
  #isStopped = false;

  constructor(plan: LoadPlan) {
    this.#plan = plan;
    this.#workers = Array.from({ length: plan.workers }, (_, index) => this.#work(index));
  }

  async stop(): Promise<LoadSummary> {
    this.#isStopped = true;
    await Promise.all(this.#workers);
    const requests = Object.values(this.#results).reduce((sum, count) => sum + count, 0);
    return { requests, results: this.#results, examples: this.#examples };
  }

  async #work(first: number): Promise<void> {
    const callers = this.#plan.batches.map((batch) => new Caller(batch));
    for (let turn = first; !this.#isStopped; turn += 1) {
      const caller = callers[turn % callers.length];
      if (caller !== undefined) this.#count(await caller.call());
      await sleep(this.#plan.pauseMs);
    }
    for (const caller of callers) caller.close();
  }

  #count({ status, error, body, headers, echo }: Outcome): void {
    const result = error === undefined ? String(status) : `error: ${error}`;
    this.#results[result] = (this.#results[result] ?? 0) + 1;
    const isAnswered = error === undefined && (status === 200 || echo !== undefined);
    if (isAnswered || this.#examples.length >= EXAMPLES) return;
    this.#examples.push(`${new Date().toISOString()} ${result} ${body.slice(0, 200)} ${JSON.stringify(headers)}`);
  }
}

const loads = new Map<string, Load>();

async function obey(command: ClientCommand): Promise<unknown> {
  switch (command.kind) {
    case 'calls':
      return performBatch(command.batch);
    case 'start-load':
      loads.set(command.plan.id, new Load(command.plan));
      return {};
    case 'stop-load': {
      const load = loads.get(command.id);
      loads.delete(command.id);
      return load?.stop();
    }
  }
}

function serve(socket: Socket): void {
  socket.on('error', () => socket.destroy());
  createInterface({ input: socket }).once('line', (line) => {
    obey(JSON.parse(line) as ClientCommand).then(
      (answer) => socket.end(`${JSON.stringify(answer)}\n`),
      (error: unknown) => socket.destroy(error instanceof Error ? error : undefined),
    );
  });
}

const [folder = '.'] = process.argv.slice(2);
const deployment = (process.env['POD_NAME'] ?? 'client').replace(/-[0-9a-f]{8}-\d+$/, '');
const path = join(folder, `${deployment}.client`);
rmSync(path, { force: true });
createServer(serve).listen(path);
process.on('SIGTERM', () => process.exit(0));
