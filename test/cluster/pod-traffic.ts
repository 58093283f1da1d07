import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export type Answer = { readonly status: number; readonly body: string };

/** Asks a gateway for a page of a host; rejects when there is no answer. */
export function ask(address: string, path: string, host = 'shop.example'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { host };
    const call = request(`http://${address}${path}`, { headers, timeout: 10_000, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    call.on('timeout', () => call.destroy(new Error('no answer in ten seconds')));
    call.on('error', reject);
    call.end();
  });
}

/** Asks on and on, some fifty times a second, until it is ended. */
export class Traffic {
  readonly failures: string[] = [];
  count = 0;
  readonly #address: string;
  readonly #expected: string;
  readonly #done: Promise<unknown>;
  #isOver = false;

  constructor(address: string, expected: string) {
    this.#address = address;
    this.#expected = expected;
    this.#done = this.#run();
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      const outcome = await ask(this.#address, '/').then(
        ({ status, body }) => (status === 200 && body === this.#expected ? undefined : `${status} ${body}`),
        String,
      );
      this.count += 1;
      if (outcome !== undefined) this.failures.push(outcome);
      await sleep(20);
    }
  }
}
