import { request } from 'node:http';
import { connect } from 'node:net';

/** Writes one line of JSON to a unix socket and reads the line that answers. */
export function commandOverSocket(path: string, command: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ path, allowHalfOpen: true }, () => socket.write(`${JSON.stringify(command)}\n`));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('end', () => {
      socket.end();
      const text = Buffer.concat(chunks).toString('utf8');
      if (text === '') reject(new Error(`${path} closed without an answer`));
      else resolve(JSON.parse(text));
    });
  });
}

/** GETs from an HTTP server on a unix socket. */
export function getOverSocket(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    });
    call.on('error', reject);
    call.end();
  });
}
