import type { IncomingMessage } from 'node:http';
import { request } from './node-http.ts';

export type HttpAnswer = { readonly status: number; readonly body: string };

/** GETs over plain HTTP. Rejects when there is no whole answer, when it is larger than `maxBytes`, and when the signal aborts. */
export function httpGet(url: string, maxBytes: number, signal: AbortSignal): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const asking = request(url, { method: 'GET', signal, agent: false }, (response) => {
      readAll(response, maxBytes).then(resolve, (error: unknown) => {
        asking.destroy();
        reject(error instanceof Error ? error : new Error('the answer broke off', { cause: error }));
      });
    });
    asking.on('error', reject);
    asking.end();
  });
}

async function readAll(response: IncomingMessage, maxBytes: number): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`the answer has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') };
}
