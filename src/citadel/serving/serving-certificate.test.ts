import { X509Certificate } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { ManualClock } from '../../kit/manual-clock.ts';
import { err, ok, type Result } from '../../kit/result.ts';
import { makePinoLogger } from '../../telemetry/pino-logger.ts';
import { TestIssuers, testIssuer, testRoot } from '../testing/issuers.ts';
import { type Served, ServingCertificate, servingNames } from './serving-certificate.ts';

const HOUR_MS = 3_600_000;
const START = 1_700_000_000_000;

async function start(issuers: TestIssuers, use: (served: Served) => Result<void, string> = () => ok(undefined)) {
  const clock = new ManualClock(START);
  const served: Served[] = [];
  const log: string[] = [];
  const stop = new AbortController();
  const certificate = new ServingCertificate({
    issuer: issuers,
    names: ['istiod.istio-system.svc', '10.1.2.3'],
    use: (pair) => {
      served.push(pair);
      return use(pair);
    },
    clock,
    log: makePinoLogger('info', (line) => log.push(line)),
  });
  const over = certificate.run(stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await over;
  });
  await clock.advance(0);
  return { clock, served, log, certificate };
}

test('a certificate is for its names and addresses, and renewed when a third of its life is left', async () => {
  const root = testRoot('mesh', START);
  const { clock, served, certificate } = await start(new TestIssuers(testIssuer(root)));
  expect([served.length, certificate.isServing]).toEqual([1, true]);
  const leaf = new X509Certificate(served[0]?.certificate ?? '');
  expect(leaf.subjectAltName).toBe('DNS:istiod.istio-system.svc, IP Address:10.1.2.3');
  expect(leaf.verify(new X509Certificate(root.certificate).publicKey)).toBe(true);
  expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  await clock.advance(16 * HOUR_MS - 1000);
  expect(served).toHaveLength(1);
  await clock.advance(1000);
  expect(served).toHaveLength(2);
  expect(new X509Certificate(served[1]?.certificate ?? '').validTo).not.toBe(leaf.validTo);
});

test('it waits for an issuer, and follows another one, and other roots, at once', async () => {
  const issuers = new TestIssuers(undefined);
  const { clock, served, certificate } = await start(issuers);
  expect([served.length, certificate.isServing]).toEqual([0, false]);
  const first = testIssuer(testRoot('first', START));
  issuers.use(first);
  await clock.advance(0);
  expect([served.length, served[0]?.roots]).toEqual([1, first.roots]);
  const next = testRoot('next', START);
  issuers.use({ ...first, roots: first.roots + next.certificate });
  await clock.advance(0);
  expect(served[1]?.roots).toBe(first.roots + next.certificate);
  issuers.use({ ...first, roots: first.roots + next.certificate, ownRoots: first.roots });
  await clock.advance(0);
  expect(served[2]?.roots).toBe(first.roots);
  // Who signs nothing any more takes nothing away.
  issuers.use(undefined);
  await clock.advance(48 * HOUR_MS);
  expect([served.length, certificate.isServing]).toEqual([3, true]);
});

test('a failure is said, and tried again', async () => {
  let isBroken = true;
  const { clock, served, log, certificate } = await start(new TestIssuers(testIssuer(testRoot('mesh', START))), () =>
    isBroken ? err('no room') : ok(undefined),
  );
  expect([served.length, certificate.isServing]).toEqual([1, false]);
  expect(log.join('')).toContain('no room');
  isBroken = false;
  await clock.advance(5_000);
  expect([served.length, certificate.isServing]).toEqual([2, true]);
});

test('a signer that cannot sign is a failure like any other', async () => {
  const broken = testIssuer({ certificate: 'none', key: 'none' });
  const { log, certificate } = await start(new TestIssuers(broken));
  expect(certificate.isServing).toBe(false);
  expect(log.join('')).toContain('cannot serve with a certificate of the mesh');
});

test('the names are those of Istio, of the own Service, and what was given', () => {
  expect(servingNames('xebec', 'mesh', ['10.0.0.1', 'istio-ca'])).toEqual([
    ...['xebec', 'istiod', 'istio-pilot', 'istio-ca', 'istio-citadel'].flatMap((name) => [
      `${name}.mesh.svc`,
      `${name}.mesh`,
    ]),
    'istio-ca',
    'istio-citadel',
    '10.0.0.1',
  ]);
});
