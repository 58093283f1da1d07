import { Xebec } from '../app/assemble.ts';
import { type Flags, parseProcessConfig } from '../app/config.ts';
import { systemClock } from '../kit/system-clock.ts';
import { makePinoLogger } from '../telemetry/pino-logger.ts';
import { PromMetrics } from '../telemetry/prom-metrics.ts';
import { type CliIo, EXIT } from './io.ts';

/** `xebec serve`: runs until a signal. Logs go to stderr. */
export async function runServe(flags: Flags, io: CliIo): Promise<number> {
  const config = parseProcessConfig(flags, io.env);
  if (!config.ok) {
    io.err(`${config.error}\n(xebec serve --help explains the settings)\n`);
    return EXIT.usage;
  }
  const log = makePinoLogger(config.value.logLevel, io.err);
  const xebec = new Xebec({ config: config.value, clock: systemClock, log, metrics: new PromMetrics() });
  try {
    const bound = await xebec.bind();
    log.info({ config: config.value, bound }, 'serving');
  } catch (error) {
    io.err(`${error instanceof Error ? error.message : String(error)}\n`);
    return EXIT.unreachable;
  }
  await xebec.run(io.signal);
  log.info({}, 'stopped');
  return EXIT.fine;
}
