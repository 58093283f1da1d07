// A gRPC server that knows nothing: whatever number of bytes its parent names, it sends to every stream, and reads what comes back. What it
// costs to send the same messages to the same clients without deciding anything. Run by bare-process.ts.
import { systemClock } from '../../src/kit/system-clock.ts';
import { RpcServer } from '../../src/rpc/rpc-server.ts';
import type { ServerStream } from '../../src/rpc/server-stream.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { adsMethods } from '../../src/xds/xds.ts';

const LANES = 8;
const streams = new Set<ServerStream>();

async function serve(stream: ServerStream): Promise<void> {
  streams.add(stream);
  process.send?.({ streams: streams.size });
  for await (const _ of stream.requests) continue;
  streams.delete(stream);
}

async function broadcast(bytes: number): Promise<void> {
  const message = Buffer.alloc(bytes, 1);
  const waiting = [...streams];
  const lanes = Array.from({ length: LANES }, async () => {
    for (let stream = waiting.pop(); stream !== undefined; stream = waiting.pop()) {
      await stream.send(message);
      await systemClock.yield();
    }
  });
  await Promise.all(lanes);
}

const server = new RpcServer({
  methods: adsMethods.map(({ path }) => ({ path, serve })),
  clock: systemClock,
  log: silentLogger,
});
const bound = await server.listen({ host: '127.0.0.1', port: 0 });
if (!bound.ok) throw new Error(bound.error.message);
process.on('message', (bytes) => void broadcast(Number(bytes)));
process.on('disconnect', () => process.exit());
process.send?.({ port: bound.value.port });
