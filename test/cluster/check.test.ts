import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkout } from '../../tools/paths.mjs';
import { createAuthority } from '../support/certificates.ts';
import { apiServerOfFile } from './api-server-of-file.ts';
import { xebecCheck } from './xebec-check.ts';

// `xebec check` where there is no control plane, or not all of one.

const server = apiServerOfFile();

type Report = {
  readonly summary: { readonly failed: number };
  readonly checks: readonly { readonly group: string; readonly state: string; readonly message: string }[];
};

async function check(...args: readonly string[]): Promise<{ readonly status: number; readonly report: Report }> {
  const { status, stdout } = await xebecCheck(['--kubeconfig', server().kubeconfig, '-o', 'json', ...args]);
  return { status, report: JSON.parse(stdout) as Report };
}

function messagesOf(report: Report, group: string, state: string): readonly string[] {
  return report.checks.filter((line) => line.group === group && line.state === state).map(({ message }) => message);
}

async function kubectl(args: readonly string[], stdin?: object): Promise<void> {
  const { status, stderr } = await server().kubectl(args, stdin && JSON.stringify(stdin));
  if (status !== 0) throw new Error(stderr);
}

describe('xebec check', () => {
  test('says one thing where there is no control plane, and which there are elsewhere', async () => {
    const { status, report } = await check();
    expect(status).toBe(1);
    expect(report.summary.failed).toBe(1);
    expect(messagesOf(report, 'control-plane', 'failed')).toEqual([
      'there is no xebec: no Service xebec in the namespace istio-system',
    ]);
    const { stdout } = await xebecCheck(['--kubeconfig', server().kubeconfig]);
    expect(stdout).toContain('    helm install xebec charts/xebec --namespace istio-system --create-namespace; or ');

    await kubectl(['create', '-f', '-'], elsewhere);
    const again = await xebecCheck(['--kubeconfig', server().kubeconfig]);
    expect(again.stdout).toContain('    say which one: --namespace default --service mesh-xebec\n');
  });

  test('names definitions that are missing, and says what to do', async () => {
    await kubectl(['create', 'namespace', 'istio-system']);
    await kubectl(['create', '-f', '-'], noReplicas);
    const { status, report } = await check();
    expect(status).toBe(1);
    expect(messagesOf(report, 'definitions', 'failed')).toEqual([
      expect.stringMatching(/^virtualservices\.networking\.istio\.io, .+ and 26 more are not defined$/),
    ]);
    await server().applyCrds();
    await kubectl(['delete', 'crd', 'gateways.networking.istio.io']);
    const { stdout } = await xebecCheck(['--kubeconfig', server().kubeconfig]);
    expect(stdout).toContain('× gateways.networking.istio.io is not defined\n    upgrade the release');
  });

  test('says what else is not there: replicas, a leader, a webhook, permissions', async () => {
    await server().applyCrds();
    const { status, report } = await check();
    expect(status).toBe(1);
    expect(messagesOf(report, 'definitions', 'ok')).toEqual(['all 31 of Istio’s kinds are defined, and served']);
    expect(messagesOf(report, 'permissions', 'failed')).toHaveLength(11);
    expect(messagesOf(report, 'permissions', 'failed')[0]).toBe(
      'xebec reads the mesh, but may not list namespaces, watch namespaces, list nodes, watch nodes, list pods and 8 more',
    );
    expect(messagesOf(report, 'control-plane', 'failed')).toEqual([
      'none of 0 replicas behind xebec is ready',
      'no replica leads: no status is written',
    ]);
    expect(messagesOf(report, 'webhook', 'failed')).toEqual([
      'no webhook configuration has the label xebec.dev/ca-bundle=istio-system',
    ]);
  });

  test('sees that an invalid object is admitted, where a webhook is registered that nobody answers for', async () => {
    await kubectl(['create', '-f', '-'], deadWebhook);
    const { report } = await check();
    expect(messagesOf(report, 'webhook', 'failed')).toEqual([
      'the API server admits an invalid VirtualService: it could not ask xebec, or did not',
    ]);
    // Nothing was stored.
    const stored = await server().kubectl(['get', 'virtualservices', '--all-namespaces', '--output=name']);
    expect(stored.stdout).toBe('');
  });

  test('does not ask for what was not wanted', async () => {
    const { report } = await check('--controllers=pilot', '--no-webhook', '--no-xds');
    expect(messagesOf(report, 'permissions', 'failed')).toHaveLength(3);
    expect(messagesOf(report, 'webhook', 'ok')).toHaveLength(1);
    expect(messagesOf(report, 'xds', 'ok')).toHaveLength(1);
    expect(messagesOf(report, 'control-plane', 'failed')).toEqual(['none of 0 replicas behind xebec is ready']);
  });

  test('waits for what may yet come, and says what for', async () => {
    const { status, stderr } = await xebecCheck(['--kubeconfig', server().kubeconfig, '--wait', '1s']);
    expect(status).toBe(1);
    expect(stderr).toContain('waiting: xebec reads the mesh, but may not list namespaces');
  });

  test('does not reach a server that is not there: 3', async () => {
    const dead = join(server().folder, 'dead.kubeconfig');
    const cluster = { server: 'https://127.0.0.1:1' };
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'dead',
      contexts: [{ name: 'dead', context: { cluster: 'dead', user: 'nobody' } }],
      clusters: [{ name: 'dead', cluster }],
      users: [{ name: 'nobody', user: {} }],
    };
    writeFileSync(dead, JSON.stringify(config));
    const { status, stdout } = await xebecCheck(['--kubeconfig', dead]);
    expect(status).toBe(3);
    expect(stdout).toContain('× the Kubernetes API does not answer');
    expect(await xebecCheck(['--kubeconfig', join(checkout, 'nothing.here')])).toMatchObject({ status: 3 });
    expect(await xebecCheck(['--controllers', 'mixer'])).toMatchObject({ status: 2 });
  });
});

/** Of a release that has another name and is in another namespace. */
const elsewhere = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    name: 'mesh-xebec',
    namespace: 'default',
    labels: { 'app.kubernetes.io/name': 'xebec', 'app.kubernetes.io/component': 'control-plane' },
  },
  spec: { ports: [{ port: 15010 }] },
};

/** What the controllers of Kubernetes make for a Service without pods. */
const noReplicas = {
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {
    name: 'xebec-1',
    namespace: 'istio-system',
    labels: { 'kubernetes.io/service-name': 'xebec' },
  },
  addressType: 'IPv4',
  endpoints: [],
};

const caBundle = Buffer.from(createAuthority().certificate).toString('base64');

const deadWebhook = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  metadata: { name: 'xebec-istio-system', labels: { 'xebec.dev/ca-bundle': 'istio-system' } },
  webhooks: [
    {
      name: 'validate.xebec.dev',
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      failurePolicy: 'Ignore',
      timeoutSeconds: 1,
      clientConfig: { url: 'https://127.0.0.1:1/validate', caBundle },
      rules: [
        {
          apiGroups: ['networking.istio.io'],
          apiVersions: ['*'],
          operations: ['CREATE'],
          resources: ['*'],
          scope: '*',
        },
      ],
    },
  ],
};
