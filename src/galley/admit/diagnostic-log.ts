import { renderPath } from '../../apis/issue.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { Logger } from '../../telemetry/logger.ts';

/** Logs each error once when it comes and once when it is gone. */
export class DiagnosticLog {
  readonly #log: Logger;
  #known: ReadonlyMap<string, Diagnostic> = new Map();

  constructor(log: Logger) {
    this.#log = log;
  }

  compare(diagnostics: readonly Diagnostic[]): void {
    const errors = diagnostics.filter(({ level }) => level === 'error');
    if (errors.length === 0 && this.#known.size === 0) return;
    const now = new Map(errors.map((error) => [keyOf(error), error]));
    for (const [key, error] of now) if (!this.#known.has(key)) this.#log.warn(fieldsOf(error), 'configuration error');
    for (const [key, error] of this.#known)
      if (!now.has(key)) this.#log.info(fieldsOf(error), 'configuration error is gone');
    this.#known = now;
  }
}

function keyOf({ object, code, path, message, at }: Diagnostic): string {
  return JSON.stringify([object, code, path, message, at?.file]);
}

function fieldsOf({ object, code, path, message, at }: Diagnostic): Readonly<Record<string, unknown>> {
  const place = at === undefined ? {} : { file: at.file, line: at.line };
  return { ...object, code, path: renderPath(path), problem: message, ...place };
}
