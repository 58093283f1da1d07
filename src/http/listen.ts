import type { Server } from 'node:net';

export type ListenAddress = { readonly host: string; readonly port: number };

/** Binds a server, or rejects with a message that names the address and what to do. */
export function listen(server: Server, { host, port }: ListenAddress): Promise<ListenAddress> {
  return new Promise((resolve, reject) => {
    const onError = (cause: NodeJS.ErrnoException): void =>
      reject(new Error(explain(cause, `${host}:${port}`), { cause }));
    server.once('error', onError);
    server.listen(port, host, () => {
      const bound = server.address();
      server.removeListener('error', onError);
      resolve({ host, port: typeof bound === 'object' && bound !== null ? bound.port : port });
    });
  });
}

function explain({ code, message }: NodeJS.ErrnoException, where: string): string {
  switch (code) {
    case 'EADDRINUSE':
      return `${where} is already in use: stop what uses it, or choose another port`;
    case 'EACCES':
      return `no permission to listen on ${where}: choose a port above 1023, or run as root`;
    case 'EADDRNOTAVAIL':
      return `cannot listen on ${where}: ${message}: choose an address of this machine`;
    default:
      return `cannot listen on ${where}: ${message}`;
  }
}
