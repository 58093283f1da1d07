import { Agent, request } from 'node:https';
import type { ClusterKeys } from './keys.ts';

export type ApiReply = { readonly status: number; readonly body: string };

/** Calls the API server as the administrator, without a process per call. Nobody listening is status 0. */
export class AdminClient {
  readonly #agent: Agent;
  readonly #url: string;

  constructor(url: string, { authority, admin }: ClusterKeys) {
    this.#url = url;
    this.#agent = new Agent({ ca: authority.certificate, cert: admin.certificate, key: admin.key });
  }

  call(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<ApiReply> {
    return new Promise((resolve) => {
      const headers = body === undefined ? {} : { 'content-type': 'application/json' };
      const call = request(`${this.#url}${path}`, { method, agent: this.#agent, headers, timeout: 10_000 });
      const fail = (error: Error): void => resolve({ status: 0, body: error.message });
      call.on('error', fail);
      call.on('timeout', () => call.destroy(new Error('no answer')));
      call.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', fail);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
        );
      });
      call.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}
