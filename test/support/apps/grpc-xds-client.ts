// A gRPC client without a proxy: `grpc-xds-client.ts xds:///HOST:PORT`, configured by GRPC_XDS_BOOTSTRAP_CONFIG. Each line of its
// input is a number of calls, with an optional value of the header x-user; the answer is a line of JSON: how often who answered.
import { createInterface } from 'node:readline';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { register } from '@grpc/grpc-js-xds';
import { type Echo, GRPC_PATH } from './calls.ts';

register();
const [target = ''] = process.argv.slice(2);
const client = new Client(target, credentials.createInsecure());

function call(metadata: Metadata): Promise<string> {
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      GRPC_PATH,
      (text: string) => Buffer.from(text),
      (bytes: Buffer) => JSON.parse(bytes.toString('utf8')) as Echo,
      'hello',
      metadata,
      { deadline: Date.now() + 10_000 },
      (error, reply) => resolve(reply?.version ?? `error ${error?.code}: ${error?.details}`),
    );
  });
}

async function callMany(line: string): Promise<void> {
  const [count = '1', user] = line.split(' ');
  const metadata = new Metadata();
  if (user !== undefined) metadata.set('x-user', user);
  const answers: Record<string, number> = {};
  for (let turn = 0; turn < Number(count); turn += 1) {
    const answer = await call(metadata);
    answers[answer] = (answers[answer] ?? 0) + 1;
  }
  console.log(JSON.stringify(answers));
}

let queue = Promise.resolve();
createInterface({ input: process.stdin })
  .on('line', (line) => {
    queue = queue.then(() => callMany(line));
  })
  .on('close', () => process.exit(0));
