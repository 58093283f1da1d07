import { Xebec } from '../app/assemble.ts';
import { type Flags, parseProcessConfig } from '../app/config.ts';
import { connectKubernetes } from '../app/connect.ts';
import { systemClock } from '../kit/system-clock.ts';
import { makePinoLogger } from '../telemetry/pino-logger.ts';
import { PromMetrics } from '../telemetry/prom-metrics.ts';
import { type CliIo, EXIT } from './io.ts';
import { VERSION } from './version.ts';

/** `xebec serve`: runs until a signal. Logs go to stderr. */
export async function runServe(flags: Flags, io: CliIo): Promise<number> {
  const config = parseProcessConfig(flags, io.env);
  if (!config.ok) {
    io.err(`${config.error}\n(xebec serve --help explains the settings)\n`);
    return EXIT.usage;
  }
  const log = makePinoLogger(config.value.logLevel, io.err);
  const inputs = { config: config.value, clock: systemClock, random: Math.random, log, metrics: new PromMetrics() };
  const kube = await connectKubernetes(inputs, io.env, VERSION);
  if (!kube.ok) {
    io.err(`${kube.error}\n`);
    return EXIT.unreachable;
  }
  const xebec = new Xebec({ ...inputs, kube: kube.value });
  try {
    const bound = await xebec.bind();
    log.info({ config: config.value, bound, server: kube.value?.server }, 'serving');
  } catch (error) {
    io.err(`${error instanceof Error ? error.message : String(error)}\n`);
    return EXIT.unreachable;
  }
  await xebec.run(io.signal);
  await kube.value?.close();
  log.info({}, 'stopped');
  return EXIT.fine;
}
