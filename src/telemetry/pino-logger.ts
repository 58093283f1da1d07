import pino from 'pino';
import type { Logger } from './logger.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** JSON lines through pino. `write` gets whole lines. */
export function makePinoLogger(level: LogLevel, write: (line: string) => void): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // An Error has no fields of its own that JSON would write.
      serializers: { error: pino.stdSerializers.err },
    },
    { write },
  );
}
