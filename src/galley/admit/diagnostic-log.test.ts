import { expect, it } from 'vitest';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { makePinoLogger } from '../../telemetry/pino-logger.ts';
import { DiagnosticLog } from './diagnostic-log.ts';

function diagnostic(kind: string, level: Diagnostic['level'], name = 'istio'): Diagnostic {
  const object = { kind, namespace: 'istio-system', name };
  return { code: 'XEB0008', level, path: ['data', 'mesh', name], message: 'is off', object, at: undefined };
}

it('tells what is wrong once, and what is questionable only of what has no status', () => {
  const lines: string[] = [];
  const log = new DiagnosticLog(makePinoLogger('info', (line) => lines.push(line)));
  const ofMesh = diagnostic('ConfigMap', 'warning');
  const bad = diagnostic('VirtualService', 'error');
  const told = (): readonly unknown[] =>
    lines.splice(0).map((line) => {
      const { level, kind, path, msg } = JSON.parse(line) as Record<string, unknown>;
      return [level, kind, path, msg];
    });

  log.compare([ofMesh, diagnostic('Gateway', 'warning'), diagnostic('ConfigMap', 'info', 'other'), bad]);
  expect(told()).toEqual([
    ['warn', 'ConfigMap', 'data.mesh.istio', 'configuration warning'],
    ['warn', 'VirtualService', 'data.mesh.istio', 'configuration error'],
  ]);
  log.compare([ofMesh, bad]);
  expect(told()).toEqual([]);
  log.compare([bad]);
  log.compare([]);
  expect(told()).toEqual([
    ['info', 'ConfigMap', 'data.mesh.istio', 'configuration warning is gone'],
    ['info', 'VirtualService', 'data.mesh.istio', 'configuration error is gone'],
  ]);
});
