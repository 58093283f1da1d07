import { createSocket } from 'node:dgram';
import type { Runnable } from '../../kit/run-group.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { buildAnswer, readQuestion } from './dns-message.ts';

const PORT = 53;

export type NameServerDeps = {
  readonly address: string;
  /** The IPv4 addresses of a name, for who asks from an address; undefined if there is no such name. */
  readonly resolve: (name: string, asker: string) => readonly string[] | undefined;
  readonly log: Logger;
};

/**
 * The name server of pods. What Envoy's DNS filter does not know comes here, search lists' guesses above all, and pods without
 * Envoy have no other. The mesh has no way out, so whatever is not of the mesh does not exist.
 */
export class NameServer implements Runnable {
  readonly name = 'name server';
  readonly #deps: NameServerDeps;

  constructor(deps: NameServerDeps) {
    this.#deps = deps;
  }

  run(signal: AbortSignal): Promise<void> {
    const { address, log } = this.#deps;
    const socket = createSocket('udp4');
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('close', resolve);
      socket.once('listening', () => {
        socket.removeListener('error', reject);
        // A client that is gone before its answer.
        socket.on('error', (error) => log.debug({ error }, 'a name server’s answer was not delivered'));
      });
      socket.on('message', (query, client) => {
        const answer = this.#answer(query, client.address);
        if (answer !== undefined) socket.send(answer, client.port, client.address);
      });
      socket.bind(PORT, address);
      if (signal.aborted) socket.close();
      else signal.addEventListener('abort', () => socket.close(), { once: true });
    });
  }

  /** Who asks nonsense gets no answer. */
  #answer(query: Buffer, asker: string): Buffer | undefined {
    const question = readQuestion(query);
    if (question === undefined) return undefined;
    const addresses = this.#deps.resolve(question.name, asker);
    return buildAnswer(query, question.isForAddress ? addresses : addresses && []);
  }
}
