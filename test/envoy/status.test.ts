import { describe, expect, test } from 'vitest';
import { useMesh } from '../support/mesh.ts';
import { client, echo, service } from '../support/workloads.ts';

const mesh = useMesh();
mesh.given(
  service('echo', ['http:80>8080'], { selector: { app: 'echo' } }),
  service('other', ['http:80>8080'], { selector: { app: 'other' } }),
  client('client'),
  echo('echo', 'v1', ['http:8080']),
  echo('other', 'v1', ['http:8080']),
);

type Status = {
  readonly kind: string;
  readonly name: string;
  readonly programmed?: string;
  readonly conditions: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason: string;
    readonly message: string;
  }[];
};

async function programmed(
  name: string,
): Promise<{ readonly count: string; readonly reason: string; readonly message: string }> {
  const statuses = JSON.parse(await mesh.admin('/debug/statusz')) as readonly Status[];
  const status = statuses.find((each) => each.name === name);
  const condition = status?.conditions.find(({ type }) => type === 'Programmed');
  return { count: status?.programmed ?? '', reason: condition?.reason ?? '', message: condition?.message ?? '' };
}

function rule(name: string, trafficPolicy: string): string {
  return `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: ${name}, namespace: default }
spec:
  host: ${name}.default.svc.cluster.local
  subsets:
    - { name: plain, labels: { version: v1 } }
    - name: odd
      labels: { version: v1 }
      trafficPolicy: ${trafficPolicy}`;
}

const sound = '{ connectionPool: { tcp: { maxConnections: 7 } } }';

/** Valid for whoever does not have the proxy's files, and refused by the proxy. */
const odd: readonly (readonly [title: string, policy: string, field: string])[] = [
  ['a CA', '{ tls: { mode: SIMPLE, caCertificates: /nowhere/ca.pem } }', 'caCertificates'],
  [
    'a private key',
    '{ tls: { mode: MUTUAL, clientCertificate: /nowhere/cert.pem, privateKey: /nowhere/key.pem } }',
    'privateKey',
  ],
  [
    'a revocation list',
    '{ tls: { mode: SIMPLE, caCertificates: /etc/ssl/certs/ca-certificates.crt, caCrl: /nowhere/crl.pem } }',
    'caCrl',
  ],
];

describe('the status of an object that a real Envoy refuses', () => {
  test.each(odd)(
    '%s that is not there: names the field, and is clear once it is repaired',
    async (_, policy, field) => {
      mesh.write('rules', rule('echo', sound), rule('other', sound));
      await mesh.waitUntil('both are programmed', async () => {
        const all = await Promise.all(['echo', 'other'].map(programmed));
        return all.every(({ reason, count }) => reason === 'Programmed' && !count.startsWith('0/'));
      });
      mesh.write('rules', rule('echo', policy), rule('other', sound));
      await mesh.waitUntil('it is refused', async () => (await programmed('echo')).reason === 'Rejected');
      const { message, count } = await programmed('echo');
      expect(message).toMatch(
        new RegExp(`refused it.*: spec\\.subsets\\[1\\]\\.trafficPolicy\\.tls\\.${field}: .*/nowhere/.* \\(pod `),
      );
      expect(count).toMatch(/^0\/\d+$/);
      expect(await programmed('other')).toMatchObject({ reason: 'Programmed' });
      mesh.write('rules', rule('echo', sound), rule('other', sound));
      await mesh.waitUntil('it is programmed again', async () => (await programmed('echo')).reason === 'Programmed');
    },
  );
});
