import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BenchCluster } from '../cluster/bench-cluster.ts';
import type { RowReport } from '../measure/report.ts';
import { type ServerOptions, XebecProcess } from '../server/xebec-process.ts';

export type RowContext = {
  /** Long forms: more samples, more and larger workloads. */
  readonly full: boolean;
  /** A CPU profile of the server's part in the measured work is written to this folder. */
  readonly profileTo: string | undefined;
  /** A folder that goes with the row. */
  readonly work: string;
  /** Starts a server that ends with the row, if not before. */
  readonly serve: (options: Omit<ServerOptions, 'work'>) => XebecProcess;
  /** Starts a Kubernetes API that ends with the row. */
  readonly cluster: () => Promise<BenchCluster>;
};

export type Row = {
  /** How it is asked for: `npm run bench -- NAME`. */
  readonly name: string;
  readonly run: (context: RowContext) => Promise<readonly RowReport[]>;
};

/** Runs one row; whatever it started and wrote is gone afterwards. */
export async function runRow(row: Row, options: Pick<RowContext, 'full' | 'profileTo'>): Promise<readonly RowReport[]> {
  const work = mkdtempSync(join(tmpdir(), 'xebec-bench-'));
  const servers: XebecProcess[] = [];
  const serve: RowContext['serve'] = (server) => {
    const started = new XebecProcess({ ...server, work });
    servers.push(started);
    return started;
  };
  const clusters: BenchCluster[] = [];
  const cluster: RowContext['cluster'] = async () => {
    const started = await BenchCluster.start();
    clusters.push(started);
    return started;
  };
  try {
    return await row.run({ ...options, work, serve, cluster });
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
    await Promise.all(clusters.map((started) => started.stop()));
    rmSync(work, { recursive: true, force: true });
  }
}
