import { expect, test } from 'vitest';
import { collections } from '../collections.ts';
import { describe as describeValue } from '../schema/words.ts';

const pem = '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n';
const meta = { namespace: 'default', name: 'x', annotations: {}, labels: {} };

function problems(kind: 'Gateway' | 'DestinationRule', spec: object): readonly string[] {
  const { issues } = collections[kind].check({ spec }, meta as never);
  return issues.map(({ level, code, path, message }) => `${level} ${code} ${path.join('.')} ${message}`);
}

test('a key in the place of a path or a name is refused, and nothing of it is said', () => {
  const servers = (tls: object): object => ({
    selector: { app: 'g' },
    servers: [
      { port: { number: 443, name: 'https', protocol: 'HTTPS' }, hosts: ['*'], tls: { mode: 'SIMPLE', ...tls } },
    ],
  });
  const said = [
    problems('Gateway', servers({ serverCertificate: '/c.pem', privateKey: pem })),
    problems('Gateway', servers({ credentialName: pem })),
    problems('Gateway', servers({ tlsCertificates: [{ serverCertificate: '/c.pem', privateKey: pem }] })),
    problems('DestinationRule', {
      host: 'a',
      trafficPolicy: { tls: { mode: 'MUTUAL', clientCertificate: '/c.pem', privateKey: pem } },
    }),
  ];
  expect(said.map((each) => each.map((line) => line.split(' ').slice(0, 3).join(' ')))).toEqual([
    ['error XEB0406 spec.servers.0.tls.privateKey'],
    ['error XEB0406 spec.servers.0.tls.credentialName'],
    ['error XEB0406 spec.servers.0.tls.tlsCertificates.0.privateKey'],
    ['error XEB0309 spec.trafficPolicy.tls.privateKey'],
  ]);
  expect(JSON.stringify(said)).not.toContain('c2VjcmV0');
});

test('a message that quotes what it found quotes no key', () => {
  expect(describeValue(pem)).toBe('text "-----BEGIN…"');
  expect(describeValue('plain')).toBe('text "plain"');
});
