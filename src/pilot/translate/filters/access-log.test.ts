import { describe, expect, it } from 'vitest';
import { meshConfig } from '../../../testing/config.ts';
import { unpack } from '../listener/testing/summary.ts';
import { type AccessLogConfig, buildAccessLog, checkAccessLogFormat } from './access-log.ts';
import { findBadOperator } from './log-operators.ts';
import { readListenerSettings } from './settings.ts';

const stdout = 'envoy.extensions.access_loggers.stream.v3.StdoutAccessLog';

function config(options: Partial<AccessLogConfig> = {}): AccessLogConfig {
  return { accessLogFile: '/dev/stdout', accessLogFormat: '', accessLogEncoding: 'TEXT', ...options };
}

function formatOf(options: Partial<AccessLogConfig>) {
  const [log] = buildAccessLog(config(options));
  if (log?.typedConfig === undefined) throw new Error('no log');
  return unpack(stdout, log.typedConfig).logFormat;
}

const textOf = (options: Partial<AccessLogConfig>) => formatOf(options)?.textFormatSource?.inlineString;
const fieldsOf = (options: Partial<AccessLogConfig>) =>
  Object.fromEntries(
    Object.entries(formatOf({ accessLogEncoding: 'JSON', ...options })?.jsonFormat?.fields ?? {}).map(
      ([key, value]) => [key, value.stringValue],
    ),
  );

describe('where the log goes', () => {
  it.each([
    ['', undefined],
    ['/dev/stdout', 'envoy.access_loggers.stdout'],
    ['/dev/stderr', 'envoy.access_loggers.stderr'],
    ['/var/log/access.log', 'envoy.access_loggers.file'],
  ])('%s', (accessLogFile, expected) => {
    expect(buildAccessLog(config({ accessLogFile }))[0]?.name).toBe(expected);
  });

  it('of a listener mentions only what no chain takes, unless that is not wanted', () => {
    const mesh = meshConfig({ accessLogFile: '/dev/stdout' });
    expect(readListenerSettings(mesh).listenerAccessLog).toMatchObject([
      { filter: { responseFlagFilter: { flags: ['NR'] } } },
    ]);
    expect(readListenerSettings({ ...mesh, disableEnvoyListenerLog: true }).listenerAccessLog).toEqual([]);
  });
});

describe('the format', () => {
  it('is the line of Istio 1.4 by default', () => {
    expect(textOf({})).toMatch(/^\[%START_TIME%\] "%REQ\(:METHOD\)% .*%REQUESTED_SERVER_NAME% %ROUTE_NAME%\n$/);
    expect(findBadOperator(textOf({}) ?? '%')).toBeUndefined();
  });

  it('is one’s own, with an end of line', () => {
    expect(textOf({ accessLogFormat: '%PROTOCOL%' })).toBe('%PROTOCOL%\n');
    expect(textOf({ accessLogFormat: '%PROTOCOL%\n' })).toBe('%PROTOCOL%\n');
  });

  it('may be JSON', () => {
    expect(fieldsOf({})).toMatchObject({ start_time: '%START_TIME%', route_name: '%ROUTE_NAME%' });
    expect(fieldsOf({ accessLogFormat: '{"b": "%PROTOCOL%", "a": "x"}' })).toEqual({ a: 'x', b: '%PROTOCOL%' });
  });

  it.each([
    ['TEXT' as const, '%NO_SUCH_THING%'],
    ['TEXT' as const, '100%'],
    ['JSON' as const, '[]'],
    ['JSON' as const, '{"a": 1}'],
    ['JSON' as const, '{"a": "%NO_SUCH_THING%"}'],
    ['JSON' as const, '%PROTOCOL%'],
  ])('%s %s is not used, and the mesh is told', (accessLogEncoding, accessLogFormat) => {
    const options = { accessLogEncoding, accessLogFormat };
    expect(checkAccessLogFormat(config(options))).toMatchObject([{ code: 'XEB2306', path: ['accessLogFormat'] }]);
    expect(formatOf(options)).toEqual(formatOf({ accessLogEncoding }));
  });
});

describe('operators of Envoy 1.40', () => {
  it.each([
    '%PROTOCOL%',
    '%REQ(:METHOD)%',
    '%REQ(X-A?:PATH):10%',
    '%START_TIME(%Y/%m/%d %s.%3f)%',
    '%DYNAMIC_METADATA(a:b)%',
    '%FILTER_STATE(a:PLAIN)%',
    '%CEL(request.path)%',
    '100%%',
    'plain',
    '%UPSTREAM_CLUSTER_RAW% %DURATION%',
  ])('%s is one', (text) => {
    expect(findBadOperator(text)).toBeUndefined();
  });

  it.each([
    '%',
    '%protocol%',
    '%REQ%',
    '%REQ()%',
    '%REQ(a b)%',
    '%REQ(a?b?c)%',
    '%DURATION(ms)%',
    '%COOKIE(a)%',
    '%PROTOCOL',
  ])('%s is none', (text) => {
    expect(findBadOperator(text)).toBeDefined();
  });
});
