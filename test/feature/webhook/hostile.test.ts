import { connect as connectTcp, type Socket } from 'node:net';
import { connect } from 'node:tls';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { collections } from '../../../src/apis/collections.ts';
import { badSpec, goodSpec, reviewOf, SERVER_NAME, virtualService, WebhookProcess } from './support.ts';

const legitimate = JSON.stringify(reviewOf(virtualService(goodSpec)));
const MIB = 2 ** 20;

/** Somebody honest is served, on a connection that stays and on a new one. */
async function servesOthers(process: WebhookProcess): Promise<void> {
  for (const fresh of [false, true]) {
    const { status, text } = await process.call('/validate', legitimate, { fresh });
    expect([status, JSON.parse(text)]).toMatchObject([200, { response: { allowed: true } }]);
  }
}

/** Serves others again and again until `work` is done. */
async function whileServing(process: WebhookProcess, work: Promise<unknown>): Promise<void> {
  const state = { isDone: false };
  const done = Promise.allSettled([work]).finally(() => (state.isDone = true));
  while (!state.isDone) await servesOthers(process);
  await done;
  await work;
  await servesOthers(process);
}

function hold(process: WebhookProcess, opening: string | undefined): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const { port } = process;
    const opened = (): void => {
      if (opening !== undefined) socket.write(opening);
      resolve(socket);
    };
    const socket: Socket =
      opening === undefined
        ? connectTcp(port, '127.0.0.1', opened)
        : connect({ host: '127.0.0.1', port, servername: SERVER_NAME, rejectUnauthorized: false }, opened);
    // To be cut is what these are for.
    socket.on('error', reject);
    onTestFinished(() => void socket.destroy());
  });
}

describe('bodies', () => {
  test('of anything, from nearly a review to noise, are answered, and serve nobody else worse', async () => {
    const process = await WebhookProcess.ready();
    const json = fc.jsonValue({ maxDepth: 6 });
    const kinds = fc.constantFrom(...Object.values(collections));
    const objects = fc.record(
      { apiVersion: fc.string(), kind: fc.string(), metadata: json, spec: json, status: json },
      { requiredKeys: [] },
    );
    const nearly = fc.record({
      kind: kinds,
      object: fc.oneof(objects, json),
      operation: fc.constantFrom('CREATE', 'UPDATE'),
    });
    const requests = nearly.map(({ kind, object, operation }) => {
      const [version = ''] = kind.versions;
      return reviewOf(object, { operation, oldObject: object, kind: { group: kind.group, version, kind: kind.kind } });
    });
    const bodies = fc.oneof(
      requests.map((review) => JSON.stringify(review)),
      json.map((request) => JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request })),
      json.map((value) => JSON.stringify(value)),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.nat(legitimate.length - 1).map((end) => legitimate.slice(0, end)),
    );
    const work = fc.assert(
      fc.asyncProperty(fc.array(bodies, { minLength: 20, maxLength: 20 }), async (list) => {
        const answers = await Promise.all(list.map((body) => process.call('/validate', body)));
        for (const { status, text } of answers) {
          expect([200, 400]).toContain(status);
          if (status === 200)
            expect(JSON.parse(text)).toMatchObject({ response: { allowed: expect.any(Boolean) as unknown } });
        }
      }),
    );
    await whileServing(process, work);
    expect(process.log.filter((line) => line.includes('request failed'))).toEqual([]);
  });

  test('of 50 MB are refused unread, whether they say how long they are or not', async () => {
    const process = await WebhookProcess.ready();
    const large = Buffer.alloc(50 * MIB, ' ');
    const announced = process.call('/validate', large, { fresh: true });
    const chunked = process.call('/validate', large, { fresh: true, headers: { 'transfer-encoding': 'chunked' } });
    await whileServing(process, Promise.all([announced, chunked]));
    for (const answer of [await announced, await chunked]) {
      expect(answer).toEqual({ status: 413, text: 'more than 3 MiB\n' });
    }
  });

  test.each([
    ['lists', '['.repeat(100_000)],
    ['lists that end', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
    ['objects', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
    ['a spec', legitimate.replace('"hosts"', `"x":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)},"hosts"`)],
  ])('that are deep, of %s, are refused', async (_, body) => {
    const process = await WebhookProcess.ready();
    const answer = await process.call('/validate', body);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('could not decode body: nested more than 128 levels deep');
    await servesOthers(process);
  });

  test('with the keys of every object change no object', async () => {
    const process = await WebhookProcess.ready();
    const evil = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"hosts":["a"],"toString":1}';
    for (const { kind, group, versions } of Object.values(collections)) {
      const [version = ''] = versions;
      const review = reviewOf({ metadata: 'METADATA', spec: 'EVIL' }, { kind: { group, version, kind } });
      const body = JSON.stringify(review)
        .replaceAll('"EVIL"', evil)
        .replaceAll('"METADATA"', `{"name":"a","labels":${evil},"annotations":${evil}}`);
      expect((await process.call('/validate', body)).status).toBe(200);
    }
    expect(({} as { readonly polluted?: unknown }).polluted).toBeUndefined();
  });

  test('of a size that is allowed take no time that others miss', async () => {
    const process = await WebhookProcess.ready();
    const specs = [
      { hosts: Array.from({ length: 50_000 }, (_, index) => index) },
      { ...goodSpec, ...Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`unknown${index}`, 1])) },
      {
        hosts: ['a'],
        http: Array.from({ length: 5_000 }, (_, index) => ({ match: [{ uri: { prefix: `/${index}` } }] })),
      },
      {
        hosts: ['a'],
        http: Array.from({ length: 500 }, (_, index) => ({
          match: [{ uri: { regex: `(${'a'.repeat(900)}){1,1000}${index}` } }],
        })),
      },
    ];
    const answers = specs.map((spec) => process.review(virtualService(spec)));
    await whileServing(process, Promise.all(answers));
    for (const answer of await Promise.all(answers)) expect(JSON.stringify(answer).length).toBeLessThan(64 * 1024);
  });
});

describe('connections', () => {
  test('that say nothing, or not the end, keep nobody out, hundreds of them', async () => {
    const process = await WebhookProcess.ready();
    await servesOthers(process);
    const openings = [undefined, '', 'POST /validate HTTP/1.1\r\nhost: x\r\nx-a: '];
    const holding = Array.from({ length: 500 }, (_, index) => hold(process, openings[index % openings.length]));
    await whileServing(process, Promise.allSettled(holding));
  });

  test('whose bodies never end make room for those that do', async () => {
    const process = await WebhookProcess.ready();
    const head = `POST /validate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${MIB}\r\n\r\n`;
    const part = head + ' '.repeat(MIB / 2);
    await whileServing(process, Promise.allSettled(Array.from({ length: 150 }, () => hold(process, part))));
  });

  test('that speak no HTTP are closed', async () => {
    const process = await WebhookProcess.ready();
    const socket = await hold(process, '\u0000\u0001nonsense\r\n\r\n');
    await new Promise((resolve) => socket.once('close', resolve).resume());
    await servesOthers(process);
  });
});

test.each(['text/plain', 'application/jsonp', 'multipart/form-data; boundary=x', '', 'application/json-patch+json'])(
  'content of type %j is refused',
  async (type) => {
    const process = await WebhookProcess.ready();
    const answer = await process.call('/validate', JSON.stringify(reviewOf(virtualService(badSpec))), {
      headers: { 'content-type': type },
    });
    expect(answer.status).toBe(415);
    const json = { headers: { 'content-type': 'Application/JSON; charset=utf-8' } };
    expect((await process.call('/validate', legitimate, json)).status).toBe(200);
  },
);
