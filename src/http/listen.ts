import type { Server } from 'node:http';

export type ListenAddress = { readonly host: string; readonly port: number };

/** Binds a server, or rejects with a message that names the address and what to do. */
export function listen(server: Server, address: ListenAddress): Promise<ListenAddress> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(new Error(`cannot listen on ${address.host}:${address.port}`, { cause })));
    server.listen(address.port, address.host, () => {
      const bound = server.address();
      server.removeAllListeners('error');
      resolve({ host: address.host, port: typeof bound === 'object' && bound !== null ? bound.port : address.port });
    });
  });
}
