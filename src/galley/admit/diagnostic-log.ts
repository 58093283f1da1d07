import { renderPath } from '../../apis/issue.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { Logger } from '../../telemetry/logger.ts';

/** Logs each error once when it comes and once when it is gone; and each warning that nothing else tells. */
export class DiagnosticLog {
  readonly #log: Logger;
  #known: ReadonlyMap<string, Diagnostic> = new Map();

  constructor(log: Logger) {
    this.#log = log;
  }

  compare(diagnostics: readonly Diagnostic[]): void {
    const told = diagnostics.filter(isToBeLogged);
    if (told.length === 0 && this.#known.size === 0) return;
    const now = new Map(told.map((one) => [keyOf(one), one]));
    for (const [key, one] of now) if (!this.#known.has(key)) this.#log.warn(fieldsOf(one), titleOf(one));
    for (const [key, one] of this.#known) if (!now.has(key)) this.#log.info(fieldsOf(one), `${titleOf(one)} is gone`);
    this.#known = now;
  }
}

/** The settings of the mesh are in a ConfigMap, which no webhook judges and which has no status. */
function isToBeLogged({ level, object }: Diagnostic): boolean {
  return level === 'error' || (level === 'warning' && object?.kind === 'ConfigMap');
}

function titleOf({ level }: Diagnostic): string {
  return `configuration ${level}`;
}

function keyOf({ object, code, path, message, at }: Diagnostic): string {
  return JSON.stringify([object, code, path, message, at?.file]);
}

function fieldsOf({ object, code, path, message, at }: Diagnostic): Readonly<Record<string, unknown>> {
  const place = at === undefined ? {} : { file: at.file, line: at.line };
  return { ...object, code, path: renderPath(path), problem: message, ...place };
}
