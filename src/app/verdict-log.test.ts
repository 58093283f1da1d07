import { describe, expect, test } from 'vitest';
import { makePinoLogger } from '../telemetry/pino-logger.ts';
import type { NackReport } from '../xds/ports.ts';
import { type EncodedResource, encodeResource } from '../xds/resource.ts';
import { VerdictLog } from './verdict-log.ts';

const origins = [
  { kind: 'VirtualService', namespace: 'shop', name: 'reviews', path: 'spec.http[0]' },
  { kind: 'Node', namespace: '', name: 'n1', path: '' },
];

function resource(name: string, content: string): EncodedResource {
  return encodeResource({ typeUrl: 'routes', name, value: Buffer.from(content), needs: [], origins });
}

function nack(refused: EncodedResource, more: Partial<NackReport> = {}): NackReport {
  const error = 'bad regex';
  return { proxy: 'p1', typeUrl: 'routes', resource: refused, error, origins, scope: 'everybody', ...more };
}

function start() {
  const offered = new Set<EncodedResource>();
  const lines: Readonly<Record<string, unknown>>[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as Readonly<Record<string, unknown>>);
  const log = new VerdictLog({ log: makePinoLogger('info', write), isOffered: (each) => offered.has(each) });
  const ack = (...resources: EncodedResource[]): void => log.onAck({ proxy: 'p2', typeUrl: 'routes', resources });
  const names = (): readonly string[] => log.refused().map(({ resource: { name, version } }) => `${name} ${version}`);
  return { log, offered, lines, ack, names, texts: () => lines.map(({ msg }) => msg) };
}

describe('what proxies refuse', () => {
  const good = resource('80', 'good');
  const bad = resource('80', 'bad');

  test('is logged once per version, with the objects by name and the proxy’s words', () => {
    const { log, offered, lines } = start();
    offered.add(bad);
    log.onNack(nack(bad));
    log.onNack(nack(bad, { proxy: 'p2', error: 'another word' }));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      level: 'warn',
      msg: 'resource refused by a proxy',
      proxy: 'p1',
      type: 'routes',
      resource: '80',
      version: bad.version,
      error: 'bad regex',
      objects: ['VirtualService shop/reviews spec.http[0]', 'Node n1'],
      scope: 'everybody',
    });
  });

  test('stays refused when the last good one is accepted in its place', () => {
    const { log, offered, ack, names, texts } = start();
    offered.add(bad);
    log.onNack(nack(bad));
    ack(good);
    expect(names()).toEqual([`80 ${bad.version}`]);
    expect(texts()).toEqual(['resource refused by a proxy']);
  });

  test('is settled by a version that replaced it', () => {
    const { log, offered, ack, names, texts } = start();
    offered.add(bad);
    log.onNack(nack(bad));
    offered.delete(bad);
    const better = resource('80', 'better');
    offered.add(better);
    ack(resource('443', 'other'), better);
    expect(names()).toEqual([]);
    expect(texts()).toEqual(['resource refused by a proxy', 'resource accepted again']);
  });

  test('is settled when it is accepted after all', () => {
    const { log, offered, ack, names } = start();
    offered.add(bad);
    log.onNack(nack(bad));
    ack(bad);
    expect(names()).toEqual([]);
  });

  test('by one proxy alone is not settled by others who run it', () => {
    const { log, offered, ack, names } = start();
    offered.add(bad);
    log.onNack(nack(bad, { scope: 'this proxy' }));
    ack(bad);
    expect(names()).toEqual([`80 ${bad.version}`]);
    log.onAck({ proxy: 'p1', typeUrl: 'routes', resources: [bad] });
    expect(names()).toEqual([]);
  });

  test('is forgotten when nobody is to have it any more', () => {
    const { log, offered, names, texts } = start();
    offered.add(bad);
    log.onNack(nack(bad));
    offered.delete(bad);
    expect(names()).toEqual([]);
    expect(texts()).toEqual(['resource refused by a proxy']);
  });

  test('of one name in two views is two things', () => {
    const { log, offered, ack, names } = start();
    const other = resource('80', 'bad too');
    for (const each of [bad, other]) offered.add(each);
    for (const each of [bad, other]) log.onNack(nack(each));
    ack(other);
    expect(names()).toEqual([`80 ${bad.version}`]);
  });

  test('is remembered for so many resources and no more', () => {
    const { log, offered, names } = start();
    const all = Array.from({ length: 10_001 }, (_, index) => resource(`r${index}`, 'bad'));
    for (const each of all) offered.add(each);
    for (const each of all) log.onNack(nack(each));
    expect(names()).toHaveLength(10_000);
    expect(names()[0]).toMatch(/^r1 /);
  });
});
