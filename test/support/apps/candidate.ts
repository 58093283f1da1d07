// One replica of an election: writes a line for each write that it would make as a leader.
// candidate.ts KUBECONFIG IDENTITY JOURNAL
import { appendFileSync } from 'node:fs';
import { systemClock } from '../../../src/kit/system-clock.ts';
import { connectKubeApi } from '../../../src/kube/connect.ts';
import { LeaseElector } from '../../../src/kube/elector.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { PromMetrics } from '../../../src/telemetry/prom-metrics.ts';

const [kubeconfig = '', identity = '', journal = ''] = process.argv.slice(2);
const metrics = new PromMetrics();
const made = await connectKubeApi({
  access: { kind: 'kubeconfig', path: kubeconfig },
  clock: systemClock,
  log: silentLogger,
  metrics,
  userAgent: identity,
});
if (!made.ok) throw new Error(made.error);
const api = made.value;
const elector = new LeaseElector(
  { api, clock: systemClock, random: Math.random, log: silentLogger, metrics },
  {
    lease: { namespace: 'default', name: 'election' },
    identity,
    times: { leaseMs: 3_000, renewMs: 2_000, retryMs: 300 },
  },
);
const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());

let term = 0;
async function write(signal: AbortSignal): Promise<void> {
  term += 1;
  while (!signal.aborted) {
    // One clock for all processes of the machine.
    if (elector.isLeader) appendFileSync(journal, `${process.hrtime.bigint()} ${identity}/${term}\n`);
    await systemClock.sleep(2, signal);
  }
}

await Promise.all([elector.run(stop.signal), elector.whileLeading(write, stop.signal)]);
await api.close();
