import { readFile } from 'node:fs/promises';

const LISTEN = '0A';

/**
 * The TCP ports somebody listens on in the network namespace of a process. Asking the kernel opens no connection, which
 * through Envoy would always succeed and say nothing of the app.
 */
export async function readListeningPorts(pid: number): Promise<ReadonlySet<number>> {
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((table) => readFile(`/proc/${pid}/net/${table}`, 'utf8').catch(() => '')),
  );
  return new Set(tables.flatMap(parseListeningPorts));
}

/** Reads the table of /proc/net/tcp: `sl local_address rem_address st …`, addresses as hex with the port after a colon. */
export function parseListeningPorts(table: string): readonly number[] {
  return table
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local = '', , state] = line.trim().split(/\s+/);
      const port = Number.parseInt(local.split(':')[1] ?? '', 16);
      return state === LISTEN && !Number.isNaN(port) ? [port] : [];
    });
}
