import { once } from 'node:events';
import { connect } from 'node:http2';
import { expect, onTestFinished, test } from 'vitest';
import { err } from '../../../src/kit/result.ts';
import { systemClock } from '../../../src/kit/system-clock.ts';
import { RpcServer } from '../../../src/rpc/rpc-server.ts';
import { RpcStatusCode } from '../../../src/rpc/status.ts';
import { unaryMethod } from '../../../src/rpc/unary.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';

const PATH = '/test.Echo/Once';
const MIB = 2 ** 20;

// Who has proven nothing could fill the memory of the process with messages that are never finished.
test('nothing of a call is read before its caller is known', async () => {
  const asked = Promise.withResolvers<undefined>();
  const judged = Promise.withResolvers<undefined>();
  const method = unaryMethod(PATH, {
    admit: async () => {
      asked.resolve(undefined);
      await judged.promise;
      return err({ code: RpcStatusCode.UNAUTHENTICATED, message: 'unknown' });
    },
    answer: (message) => Promise.resolve({ kind: 'answer', message }),
  });
  const server = new RpcServer({ methods: [method], clock: systemClock, log: silentLogger });
  const bound = await server.listen({ host: '127.0.0.1', port: 0 });
  if (!bound.ok) throw new Error(bound.error.message);
  onTestFinished(() => server.stop(10));
  const session = connect(`http://127.0.0.1:${bound.value.port}`);
  onTestFinished(() => session.destroy());
  const stream = session.request({ ':method': 'POST', ':path': PATH, 'content-type': 'application/grpc' });
  stream.resume();
  const head = Buffer.alloc(5);
  head.writeUInt32BE(3 * MIB, 1);
  stream.write(Buffer.concat([head, Buffer.alloc(2 * MIB)]));
  await asked.promise;
  // Whatever the server lets in comes in meanwhile.
  for (let round = 0; round < 50; round += 1) await new Promise<void>((resolve) => session.ping(() => resolve()));
  expect(session.socket.bytesWritten).toBeLessThan(MIB);
  const answered = once(stream, 'response') as Promise<[Readonly<Record<string, unknown>>]>;
  judged.resolve(undefined);
  const [headers] = await answered;
  expect(Number(headers['grpc-status'])).toBe(RpcStatusCode.UNAUTHENTICATED);
});
