import type { Field } from '../finding.ts';
import { checkCounts, checkPort } from '../rules/scalars.ts';
import type { ReadinessProbe } from './networking.ts';

export function checkProbe(field: Field, probe: ReadinessProbe): void {
  checkCounts(field, probe, [
    'initialDelaySeconds',
    'timeoutSeconds',
    'periodSeconds',
    'successThreshold',
    'failureThreshold',
  ]);
  const { httpGet, tcpSocket, exec, grpc } = probe;
  if (httpGet !== undefined) checkHttpGet(field.at('httpGet'), httpGet);
  if (tcpSocket !== undefined) checkPort(field.at('tcpSocket', 'port'), tcpSocket.port);
  if (grpc !== undefined) checkPort(field.at('grpc', 'port'), grpc.port);
  if (exec !== undefined && (exec.command ?? []).length === 0) {
    field.at('exec', 'command').error('XEB0508', { problem: 'is empty', fix: 'say what to run' });
  }
  if (httpGet ?? tcpSocket ?? exec ?? grpc) return;
  field.error('XEB0508', { problem: 'checks nothing', allowed: 'httpGet, tcpSocket, grpc or exec', fix: 'add one' });
}

function checkHttpGet(field: Field, httpGet: NonNullable<ReadinessProbe['httpGet']>): void {
  checkPort(field.at('port'), httpGet.port);
  const { scheme, httpHeaders = [] } = httpGet;
  if (scheme && scheme !== 'HTTP' && scheme !== 'HTTPS') {
    field.at('scheme').error('XEB0508', { problem: 'is not a scheme', got: scheme, allowed: 'HTTP or HTTPS' });
  }
  for (const [index, { name = '' }] of httpHeaders.entries()) {
    if (/^[-_A-Za-z0-9]+$/.test(name)) continue;
    const allowed = 'letters, digits, - and _';
    field.at('httpHeaders', index, 'name').error('XEB0113', { problem: 'is not a header name', got: name, allowed });
  }
}
