import { describe, expect, test } from 'vitest';
import { parseListeningPorts } from './mesh/listening-ports.ts';
import { parseOptions, renderOptions } from './options.ts';
import { parseStat } from './process-identity.ts';
import { parsePublish, publishedUrl } from './publish.ts';
import { parseReply } from './socket-get.ts';
import { lastComplaint } from './supervisor.ts';

describe('what the kernel says', () => {
  test('a process whose name holds brackets and spaces', () => {
    const fields = ['S', '42', ...Array.from({ length: 17 }, () => '0'), '98765', '0'];
    expect(parseStat(`7 (a) b (c) ${fields.join(' ')}`)).toEqual({ state: 'S', parent: 42, startTime: '98765' });
    expect(parseStat('')).toBeUndefined();
  });

  test('listening ports, of both families', () => {
    const table = [
      '  sl  local_address rem_address   st tx_queue rx_queue',
      '   0: 00000000:2378 00000000:0000 0A 00000000:00000000',
      '   1: 0100007F:C350 0100007F:2378 01 00000000:00000000',
      '   2: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000',
    ].join('\n');
    expect(parseListeningPorts(table)).toEqual([9080, 80]);
  });
});

describe('one HTTP answer', () => {
  const reply = (text: string): ReturnType<typeof parseReply> => parseReply(Buffer.from(text));

  test('plain, and in chunks', () => {
    expect(reply('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')).toEqual({ status: 200, body: 'ok' });
    const chunked = 'HTTP/1.1 503 X\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n';
    expect(reply(chunked)).toEqual({ status: 503, body: 'abcde' });
  });

  test('cut off in the middle is no answer', () => {
    expect(reply('HTTP/1.1 200 OK\r\ncont')).toBeUndefined();
    expect(reply('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nab')).toBeUndefined();
    expect(reply('')).toBeUndefined();
  });
});

test('of a log only complaints are told', () => {
  const info = JSON.stringify({ level: 'info', msg: 'serving' });
  const error = JSON.stringify({ level: 'error', msg: 'pod failed', error: 'Error: no space' });
  expect(lastComplaint(`${info}\n`)).toBe('');
  expect(lastComplaint(`${error}\n${info}\n`)).toBe('pod failed: Error: no space');
  expect(lastComplaint(`${error}\nError: cannot listen on 10.244.0.1:15012\n`)).toBe(
    'Error: cannot listen on 10.244.0.1:15012',
  );
});

describe('what a person types', () => {
  const where = { cwd: '/', env: { XEBEC_STATE: '/tmp/none' } };

  test('where published ports are found', () => {
    expect(publishedUrl({ hostPort: 8443, servicePort: 443 })).toBe('https://127.0.0.1:8443');
    expect(publishedUrl({ hostPort: 443, servicePort: 80 })).toBe('http://127.0.0.1:443');
  });

  test('ports to publish', () => {
    expect(parsePublish('18080:80')).toEqual({ ok: true, value: { hostPort: 18080, servicePort: 80 } });
    expect(parsePublish('31400')).toEqual({ ok: true, value: { hostPort: 31400, servicePort: 31400 } });
    for (const text of ['', ':80', '80:', '0:80', '70000:80', '80:80:80', 'http:80']) {
      expect(parsePublish(text).ok).toBe(false);
    }
  });

  test.each([
    [[], 'name the folder'],
    [['a', 'b'], 'one folder at a time'],
    [['a', '--publish', 'x'], 'no pair of ports'],
    [['a', '--publish', '1:2', '--publish', '1:3'], 'port 1 is named twice'],
    [['a', '--admin-port', '0'], '--admin-port must be a port'],
    [['a', '--workload-cert-ttl', 'long'], '--workload-cert-ttl: "long" is no lifetime'],
    [['a', '--timeout', 'soon'], '--timeout is a number of seconds'],
    [['a', '-o', 'xml'], '-o must be table, yaml or json'],
    [['a', '--nonsense'], /^Unknown option '--nonsense'$/],
    [['a', '--publish'], /^Option '-p, --publish <value>' argument missing$/],
  ])('%j is refused', (args, reason) => {
    const parsed = parseOptions(args, where);
    expect(parsed.ok ? '' : parsed.error).toMatch(reason);
  });

  test('a flag of another command is refused', () => {
    expect(parseOptions(['a', '--timeout', '3'], where, ['output'])).toEqual({
      ok: false,
      error: '--timeout is for another command',
    });
  });

  test('options reach the process that does the work', () => {
    const asked = ['/tmp', '--publish', '8081:80', '--workload-cert-ttl', '10m', '--timeout', '5'];
    const parsed = parseOptions(asked, where);
    expect(parsed.ok && parseOptions(renderOptions(parsed.value), where)).toEqual(parsed);
    expect(parsed.ok && renderOptions(parsed.value)).toEqual(expect.arrayContaining(asked));
  });

  test('the same folder is the same mesh, however it is spelled', () => {
    const [plain, round] = [parseOptions(['/tmp'], where), parseOptions(['/tmp/../tmp/'], where)];
    expect(plain.ok && round.ok && plain.value.stateFolder === round.value.stateFolder).toBe(true);
  });
});
