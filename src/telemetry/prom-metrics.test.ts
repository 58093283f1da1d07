import { describe, expect, test } from 'vitest';
import { makePinoLogger } from './pino-logger.ts';
import { PromMetrics } from './prom-metrics.ts';

describe('Prometheus metrics', () => {
  test('instruments show what was counted, set and observed', async () => {
    const metrics = new PromMetrics();
    const counter = metrics.counter({ name: 'xebec_test_total', help: 'Tests.', labels: ['kind'] });
    counter.add();
    counter.add(2, { kind: 'a' });
    counter.add(1, { kind: 'a' });
    metrics.gauge({ name: 'xebec_test_now', help: 'Now.' }).set(7);
    const seconds = metrics.histogram({ name: 'xebec_test_seconds', help: 'Time.', buckets: [0.1, 1] });
    seconds.observe(0.5);
    const text = await metrics.expose();
    expect(text).toContain('# HELP xebec_test_total Tests.\n# TYPE xebec_test_total counter\n');
    expect(text).toContain('xebec_test_total{kind="a"} 3\n');
    expect(text).toContain('xebec_test_now 7\n');
    expect(text).toContain('xebec_test_seconds_bucket{le="0.1"} 0\n');
    expect(text).toContain('xebec_test_seconds_bucket{le="1"} 1\n');
    expect(text).toContain('xebec_test_seconds_sum 0.5\n');
  });

  test('a name asked for twice is one instrument', async () => {
    const metrics = new PromMetrics();
    for (let turn = 0; turn < 2; turn += 1) metrics.counter({ name: 'twice_total', help: 'Twice.' }).add();
    expect(await metrics.expose()).toContain('twice_total 2\n');
  });

  test('two registries have nothing in common', async () => {
    const [one, other] = [new PromMetrics(), new PromMetrics()];
    one.gauge({ name: 'mine', help: 'Mine.' }).set(1);
    other.gauge({ name: 'mine', help: 'Mine.' }).set(2);
    expect(await one.expose()).toContain('mine 1\n');
    expect(await other.expose()).toContain('mine 2\n');
  });
});

describe('the logger', () => {
  test('writes whole lines of JSON with the level by name, from its level on, with the fields of its parents', () => {
    const lines: string[] = [];
    const log = makePinoLogger('info', (line) => lines.push(line));
    log.debug({}, 'not this');
    log.child({ component: 'xds' }).warn({ proxy: 'a' }, 'pushed');
    const [line, ...rest] = lines;
    expect(rest).toEqual([]);
    expect(JSON.parse(line ?? '')).toEqual({
      level: 'warn',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as unknown,
      component: 'xds',
      proxy: 'a',
      msg: 'pushed',
    });
    expect(line?.endsWith('\n')).toBe(true);
  });

  test('an error in a field keeps its message and cause', () => {
    const lines: string[] = [];
    const error = new Error('cannot listen', { cause: new Error('in use') });
    makePinoLogger('info', (line) => lines.push(line)).error({ error }, 'failed');
    expect(lines[0]).toContain('cannot listen');
    expect(lines[0]).toContain('in use');
  });
});
