import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { request as requestOverTls } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

export type Answer = { readonly status: number; readonly body: string };

/** Asks a gateway for a page of a host, over a connection of its own; rejects when there is no answer. */
export function ask(address: string, path: string, host = 'shop.example'): Promise<Answer> {
  const options = { headers: { host }, timeout: 10_000, agent: false };
  return answered((onResponse) => request(`http://${address}${path}`, options, onResponse));
}

/** The same over TLS, by whoever the authorities vouch for. */
export function askOverTls(address: string, host: string, ca: string): Promise<Answer> {
  const options = { headers: { host }, servername: host, ca, timeout: 10_000, agent: false };
  return answered((onResponse) => requestOverTls(`https://${address}/`, options, onResponse));
}

function answered(open: (onResponse: (response: IncomingMessage) => void) => ClientRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = open((response) => {
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

/** Asks on and on, at most fifty times a second, until it is ended. */
export class Traffic {
  readonly failures: string[] = [];
  count = 0;
  readonly #ask: () => Promise<Answer>;
  readonly #expected: string;
  readonly #done: Promise<unknown>;
  #isOver = false;

  /** A right answer is 200, and has the text. */
  constructor(askOnce: () => Promise<Answer>, expected: string) {
    this.#ask = askOnce;
    this.#expected = expected;
    this.#done = this.#run();
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      const outcome = await this.#ask().then(
        ({ status, body }) => (status === 200 && body.includes(this.#expected) ? undefined : `${status} ${body}`),
        String,
      );
      this.count += 1;
      if (outcome !== undefined) this.failures.push(outcome);
      await sleep(20);
    }
  }
}
