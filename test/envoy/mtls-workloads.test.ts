import { describe, expect, test } from 'vitest';
import { identitySeen } from '../support/identities.ts';
import { useMesh } from '../support/mesh.ts';
import { client, echo, service } from '../support/workloads.ts';

// Workloads that are captured otherwise than most, in a mesh with settings of its own that takes no plaintext.
const mesh = useMesh({
  meshConfig: 'trustDomain: new.example\ntrustDomainAliases: [old.example]\nmeshMTLS: { minProtocolVersion: TLSV1_3 }',
});
const ME = 'spiffe://new.example/ns/default/sa/client';
const annotated = (annotations: Readonly<Record<string, string>>) => ({ annotations });

mesh.given(
  client('client'),
  echo(
    'partly',
    'v1',
    ['http:8080', 'http:8070'],
    annotated({ 'traffic.sidecar.istio.io/excludeInboundPorts': '8070' }),
  ),
  service('partly', ['http:80>8080', 'http-direct:81>8070'], { selector: { app: 'partly' } }),
  echo('moved', 'v1', ['http:8080', 'h2c:8081']),
  service('moved', ['http:80>7001', 'any:81>7002'], { selector: { app: 'moved' } }),
  `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: istio-system }
spec: { mtls: { mode: STRICT } }
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: moved, namespace: default }
spec:
  workloadSelector: { labels: { app: moved } }
  ingress:
    - { port: { number: 7001, name: http, protocol: HTTP }, defaultEndpoint: "127.0.0.1:8080" }
    - { port: { number: 7002, name: any }, defaultEndpoint: "127.0.0.1:8081" }
  egress: [{ hosts: ["./*"] }]
`,
);

describe('mutual TLS', () => {
  test('is not asked for where a port bypasses its proxy', async () => {
    expect(identitySeen(await mesh.call('client', 'http://partly/'))).toBe(ME);
    const direct = await mesh.call('client', 'http://partly:81/');
    expect([direct.status, identitySeen(direct)]).toEqual([200, undefined]);
  });

  test('ends at a Sidecar’s own listeners', async () => {
    for (const url of ['http://moved/', 'h2c://moved:81/']) {
      const outcome = await mesh.call('client', url);
      expect([url, outcome.status, identitySeen(outcome)]).toEqual([url, 200, ME]);
    }
  });

  test('is of the version that the mesh asks for', async () => {
    await mesh.call('client', 'http://moved/');
    expect(await mesh.stat('moved-v1', /^listener\..*ssl\.versions\.TLSv1\.3$/)).toBeGreaterThan(0);
    expect(await mesh.stat('moved-v1', /^listener\..*ssl\.versions\.TLSv1\.2$/)).toBe(0);
  });
});
