import { expect, test } from 'vitest';
import { buildAnswer, readQuestion } from './dns-message.ts';

/** A query as a resolver sends it. */
function queryFor(name: string, { type = 1, count = 1, flags = 0x0100 } = {}): Buffer {
  const head = Buffer.from([0xab, 0xcd, flags >> 8, flags & 0xff, 0, count, 0, 0, 0, 0, 0, 0]);
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  return Buffer.concat([head, ...labels, Buffer.from([0, 0, type, 0, 1])]);
}

test('a question is its name in lower case, and whether it is for an IPv4 address', () => {
  expect(readQuestion(queryFor('Web.Default.svc'))).toEqual({ name: 'web.default.svc', isForAddress: true });
  expect(readQuestion(queryFor('web', { type: 28 }))).toEqual({ name: 'web', isForAddress: false });
});

test.each([
  ['nothing', Buffer.alloc(0)],
  ['a header alone', queryFor('web').subarray(0, 12)],
  ['a name without end', queryFor('web').subarray(0, 15)],
  ['a name that ends the packet', queryFor('web').subarray(0, 18)],
  ['a pointer', Buffer.concat([queryFor('web').subarray(0, 12), Buffer.from([0xc0, 12, 0, 1, 0, 1])])],
  ['an answer', queryFor('web', { flags: 0x8100 })],
  ['two questions', queryFor('web', { count: 2 })],
])('%s is no question', (_what, packet) => {
  expect(readQuestion(packet)).toBeUndefined();
});

test('an answer repeats the question and has the addresses', () => {
  const query = queryFor('web');
  const answer = buildAnswer(query, ['10.244.0.2', '10.244.0.3']);
  expect(answer.subarray(0, 12)).toEqual(Buffer.from([0xab, 0xcd, 0x85, 0x80, 0, 1, 0, 2, 0, 0, 0, 0]));
  expect(answer.subarray(12, query.length)).toEqual(query.subarray(12));
  expect(answer.subarray(query.length + 12, query.length + 16)).toEqual(Buffer.from([10, 244, 0, 2]));
  expect(answer.subarray(-4)).toEqual(Buffer.from([10, 244, 0, 3]));
});

test('a name that is not there is said not to be, a name without such addresses to have none', () => {
  expect(buildAnswer(queryFor('web'), undefined).readUInt16BE(2)).toBe(0x8583);
  const none = buildAnswer(queryFor('web'), []);
  expect([none.readUInt16BE(2), none.readUInt16BE(6)]).toEqual([0x8580, 0]);
});
