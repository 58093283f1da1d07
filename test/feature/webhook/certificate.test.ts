import { connect as connectTcp } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { createAuthority } from '../../support/certificates.ts';
import { goodSpec, reviewOf, SERVER_NAME, virtualService, WebhookProcess } from './support.ts';

test('the process is ready when the port of the webhook has a certificate to show', async () => {
  const process = await WebhookProcess.start();
  await process.until(async () => (await process.readiness()).text.includes('the webhook’s port'));
  await process.until(() => process.log.some((line) => line.includes('cannot be taken')));
  process.write(process.authority.issue([SERVER_NAME]));
  await process.until(async () => (await process.readiness()).status === 200);
  expect(await process.review(virtualService(goodSpec))).toMatchObject({ allowed: true });
  // Told once, though it was looked at again and again.
  expect(process.log.filter((line) => line.includes('cannot be taken'))).toHaveLength(1);
});

test('another certificate is served to who comes then, and who is connected stays so', async () => {
  const process = await WebhookProcess.ready();
  const before = await open(process);
  const next = createAuthority('next');
  process.write(next.issue([SERVER_NAME]));
  await process.until(async () => (await open(process)).serial !== before.serial);
  const trusting = { ca: next.certificate, fresh: true };
  expect(await process.call('/validate', review, trusting)).toMatchObject({ status: 200 });
  await expect(process.call('/validate', review, { fresh: true })).rejects.toThrow('certificate');
  expect(before.socket.destroyed).toBe(false);
  expect(await ask(before.socket)).toMatch(/^HTTP\/1\.1 200 /);
});

test('half a pair, or nonsense, changes nothing, and is told once', async () => {
  const process = await WebhookProcess.ready();
  const { serial } = await open(process);
  const other = process.authority.issue([SERVER_NAME]);
  process.write({ certificate: other.certificate });
  await process.until(() => process.log.some((line) => line.includes('cannot be taken')));
  expect((await open(process)).serial).toBe(serial);
  process.write({ certificate: 'nonsense' });
  await process.until(() => process.log.filter((line) => line.includes('cannot be taken')).length === 2);
  expect((await open(process)).serial).toBe(serial);
  expect(await process.review(virtualService(goodSpec))).toMatchObject({ allowed: true });
  process.write(other);
  await process.until(async () => (await open(process)).serial !== serial);
  await process.until(() => process.log.some((line) => line.includes('in order again')));
  expect(process.log.join('')).not.toContain('PRIVATE KEY');
  const text = await process.metrics.expose();
  expect(text).toContain('galley_validation_cert_key_updates 2');
  expect(text).toMatch(/galley_validation_cert_key_update_errors\{error="unusable"\} [1-9]/);
});

test('who speaks an old TLS, or none, is not answered', async () => {
  const process = await WebhookProcess.ready();
  await expect(open(process, { maxVersion: 'TLSv1.1', minVersion: 'TLSv1' })).rejects.toThrow();
  expect((await open(process, { maxVersion: 'TLSv1.2' })).socket.getProtocol()).toBe('TLSv1.2');
  const answer = await new Promise<string>((resolve) => {
    let text = '';
    const socket = connectTcp(process.port, '127.0.0.1', () => socket.write('POST /validate HTTP/1.1\r\n\r\n'));
    socket.on('data', (chunk) => (text += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
  });
  expect(answer).not.toContain('HTTP');
});

const review = JSON.stringify(reviewOf(virtualService(goodSpec)));

type Opened = { readonly socket: TLSSocket; readonly serial: string };

function open({ port }: WebhookProcess, versions: object = {}): Promise<Opened> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, servername: SERVER_NAME, rejectUnauthorized: false, ...versions };
    const socket = connect(options, () =>
      resolve({ socket, serial: socket.getPeerX509Certificate()?.serialNumber ?? '' }),
    );
    socket.on('error', reject);
    onTestFinished(() => void socket.destroy());
  });
}

function ask(socket: TLSSocket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('data', (chunk: Buffer) => resolve(chunk.toString('latin1')));
    socket.write('GET /ready HTTP/1.1\r\nhost: x\r\n\r\n');
  });
}
