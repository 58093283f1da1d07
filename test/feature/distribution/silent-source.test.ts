// A config source that is cut off without a word: the network drops everything, and no connection ends.

import { once } from 'node:events';
import { createServer, connect as dial, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { MemorySource } from '../../../src/galley/sources/memory-source.ts';
import { Consumer } from './support/consumer.ts';
import { makeMesh, makeVirtualService } from './support/manifests.ts';
import { Publisher } from './support/publisher.ts';

/** A relay that can swallow what passes, and forgets whom it relayed when it is whole again. */
class Relay {
  readonly #sockets = new Set<Socket>();
  #isSilent = false;
  port = 0;

  async start(target: number): Promise<this> {
    const server = createServer((near) => {
      const far = dial(target, '127.0.0.1');
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.on('data', (bytes) => {
          if (!this.#isSilent) to.write(bytes);
        });
        from.on('close', () => to.destroy());
        from.on('error', () => to.destroy());
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const bound = server.address();
    this.port = typeof bound === 'object' && bound !== null ? bound.port : 0;
    onTestFinished(() => {
      for (const socket of this.#sockets) socket.destroy();
      server.close();
    });
    return this;
  }

  set silent(isSilent: boolean) {
    this.#isSilent = isSilent;
  }
}

test('silence is noticed, what was received stays, and the consumer catches up', async () => {
  const source = new MemorySource();
  source.apply(...makeMesh(), makeVirtualService('a'));
  const publisher = await new Publisher(source).start();
  const relay = await new Relay().start(publisher.port);
  const rpc = { keepaliveMs: 50, keepaliveTimeoutMs: 50 };
  const consumer = await new Consumer({ kind: 'xds', port: relay.port, rpc }).start();
  await consumer.until('fed', () => consumer.names('VirtualService').length === 1);
  relay.silent = true;
  source.apply(makeVirtualService('b'));
  const codes = (): readonly string[] => consumer.galley.diagnostics().map(({ code }) => code);
  await consumer.until('aware', () => codes().includes('XEB1021'));
  expect(consumer.names('VirtualService')).toEqual(['default/a']);
  relay.silent = false;
  await consumer.until('caught up', () => consumer.names('VirtualService').length === 2);
  await consumer.until('well', () => !codes().includes('XEB1021'));
});
