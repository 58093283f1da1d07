import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkout } from '../../tools/paths.mjs';
import { images } from './image-catalog.ts';
import { sharedNode } from './node-shared.ts';
import { ask } from './pod-traffic.ts';
import { inventory, isIdentity, Release } from './release.ts';
import { xebecCheck } from './xebec-check.ts';

// What README.md of the chart shows, in its order: install, prove, apply, see, upgrade, take back, remove.

const node = sharedNode(images.node, images.envoy);
const release = new Release({ client: node.client, helm: 'helm3', name: 'xebec', namespace: 'istio-system' });
const { namespace } = node;
let before: ReadonlySet<string> = new Set();

const samples = join(checkout, 'samples', 'kubernetes');

const caBundle = [
  '.webhooks[0].clientConfig.caBundle',
  'validatingwebhookconfiguration',
  'xebec-istio-system',
] as const;

function applying(sample: string): readonly string[] {
  return ['apply', `--namespace=${namespace}`, '-f', join(samples, sample)];
}

async function refusal(): Promise<string> {
  const { status, stderr } = await node.client().tryKubectl(applying('bad.yaml'));
  return status === 0 ? 'was admitted' : stderr;
}

async function virtualService(path: string): Promise<string> {
  return node.client().kubectl(['get', 'vs', 'shop', `--namespace=${namespace}`, `--output=jsonpath={${path}}`]);
}

describe('the chart', () => {
  beforeAll(async () => {
    await release.prepare();
    before = await inventory(node.client());
  });
  afterAll(() => release.remove());

  test('is installed with no values, and says how to prove it', async () => {
    const notes = await release.change('install');
    expect(notes).toContain('helm test xebec --namespace istio-system');
    expect(notes).toContain('bin/xebec check --namespace istio-system --service xebec\n');
    expect(notes).not.toContain('MCP is open');
    expect(notes).toContain('Keep a copy of the Secret istio-ca-secret');
    expect(await release.read('.status.readyReplicas', 'deployment', 'xebec')).toBe('1');
    const stored = await release.read('.items[0].data.release', 'secret', '-l', 'owner=helm');
    // Kubernetes takes a Secret of 1 MiB.
    expect(stored.length).toBeLessThan(512 * 1024);
  });

  test('passes helm test, which leaves nothing behind', async () => {
    expect(await release.helm('test', 'xebec')).toContain('Phase:          Succeeded');
    expect(await release.kubectl('get', 'pods,serviceaccounts,roles', '--output=name')).not.toContain('check');
  });

  test('runs without a shell, and says of a kubeconfig that it knows none', async () => {
    const inPod = (...command: readonly string[]) =>
      node.client().tryKubectl(['exec', 'deployment/xebec', '--namespace=istio-system', '--', ...command]);
    expect((await inPod('/bin/sh', '-c', 'true')).stderr).toContain('no such file');
    const check = await inPod('node', 'dist/main.js', 'check', '--kubeconfig', '/nowhere');
    expect(check.status).toBe(3);
    expect(check.stderr).toContain('knows no kubeconfigs');
    // What is written would be there after a restart, for whoever comes then.
    const write = await inPod('node', '-e', "require('node:fs').writeFileSync('/opt/xebec/left', '')");
    expect(write.stderr).toContain('EROFS');
  });

  test('refuses what cannot be right, and names all problems', async () => {
    const said = await refusal();
    expect(said).toContain(`VirtualService ${namespace}/bad has 2 problems:`);
    expect(said).toContain('spec.http[0].match[0].uri.regex: is not an RE2 expression');
    expect(said).toContain('spec.http[0].timeout: ');
  });

  test('programs a stock Envoy, and says so of the VirtualService', async () => {
    await node.client().kubectl(applying('shop.yaml'));
    await node.client().kubectl(applying('good.yaml'));
    await node.client().waitForCondition('Available', ['deployment', '--all', `--namespace=${namespace}`], 120_000);
    const wait = ['wait', '--for=condition=Programmed', 'vs/shop', `--namespace=${namespace}`, '--timeout=60s'];
    expect(await node.client().kubectl(wait)).toContain('condition met');
    await node.client().waitFor('the count is there', async () => {
      const row = await node.client().kubectl(['get', 'vs', 'shop', `--namespace=${namespace}`, '--no-headers']);
      return /shop\s+\["gateway"\]\s+\["shop.example"\]\s+True\s+1\/1\s/.test(row) ? true : undefined;
    });

    const get = ['get', 'pod', '-l', 'app=gateway', `--namespace=${namespace}`];
    const ip = await node.client().kubectl([...get, '--output=jsonpath={.items[0].status.podIP}']);
    expect(await ask(`${ip}:8080`, '/next')).toEqual({ status: 200, body: 'shop v2\n' });
    const seen = new Set<string>();
    await node.client().waitFor('both versions answer', async () => {
      seen.add((await ask(`${ip}:8080`, '/')).body);
      return seen.has('shop v1\n') && seen.has('shop v2\n') ? true : undefined;
    });

    const weights = [{ op: 'replace', path: '/spec/http/1/route', value: [{ destination: { host: 'shop-v2' } }] }];
    const patch = [
      'patch',
      'vs',
      'shop',
      `--namespace=${namespace}`,
      '--type=json',
      `--patch=${JSON.stringify(weights)}`,
    ];
    await node.client().kubectl(patch);
    await node.client().waitFor('traffic follows', async () => {
      const answers = await Promise.all(Array.from({ length: 20 }, () => ask(`${ip}:8080`, '/')));
      return answers.every(({ body }) => body === 'shop v2\n') ? true : undefined;
    });
    const generation = await virtualService('.metadata.generation');
    await node.client().waitFor('the status is of what is there now', async () => {
      const observed = '.status.conditions[?(@.type=="Programmed")].observedGeneration';
      return (await virtualService(observed)) === generation ? true : undefined;
    });
  });

  test('shows who calls, refuses who does not say it, and denies what a policy denies', async () => {
    const get = ['get', 'pod', `--namespace=${namespace}`];
    const gateway = await node
      .client()
      .kubectl([...get, '-l', 'app=gateway', '--output=jsonpath={.items[0].status.podIP}']);
    await node.client().kubectl(applying('security/ledger.yaml'));
    await node.client().waitForCondition('Ready', ['pod/ledger', `--namespace=${namespace}`], 120_000);
    const ledger = await node.client().kubectl([...get, 'ledger', '--output=jsonpath={.status.podIP}']);
    const called = `URI=spiffe://cluster.local/ns/${namespace}/sa/default`;
    const throughGateway = (path: string) => ask(`${gateway}:8080`, path, 'ledger.example');
    await node.client().waitFor('the gateway is known by its identity', async () => {
      return (await throughGateway('/')).body.includes(called) ? true : undefined;
    });
    expect(await ask(`${ledger}:9080`, '/')).toEqual({ status: 200, body: 'somebody\n' });

    await node.client().kubectl(applying('security/strict.yaml'));
    await node.client().kubectl(applying('security/no-admin.yaml'));
    await node.client().waitFor('nobody gets in unproven', async () => {
      return await ask(`${ledger}:9080`, '/').then(
        () => undefined,
        () => true,
      );
    });
    await node.client().waitFor('nobody gets to /admin', async () => {
      // Connections from before the policy have one answer left, each.
      const answers: number[] = [];
      for (let count = 0; count < 20; count += 1) answers.push((await throughGateway('/admin/books')).status);
      return answers.every((status) => status === 403) ? true : undefined;
    });
    expect((await throughGateway('/admin/books')).body).toBe('RBAC: access denied');
    expect((await throughGateway('/books')).body).toContain(called);
    await node.client().kubectl(['delete', `--namespace=${namespace}`, '-f', join(samples, 'security'), '--wait']);
  });

  test('checks itself from outside of the cluster too, and says what is wrong', async () => {
    const { kubeconfig } = node.client().access;
    const well = await xebecCheck(['--kubeconfig', kubeconfig, '-o', 'json']);
    expect(well.status, well.stderr).toBe(0);
    expect(JSON.parse(well.stdout)).toMatchObject({ summary: { failed: 0, warnings: 0 } });

    const elsewhere = await xebecCheck(['--kubeconfig', kubeconfig, '--namespace', 'default']);
    expect(elsewhere.status).toBe(1);
    expect(elsewhere.stdout).toContain('× there is no xebec: no Service xebec in the namespace default');
    expect(elsewhere.stdout).toContain('say which one: --namespace istio-system --service xebec');
  });

  test('is upgraded and taken back, and the webhook is trusted all the while', async () => {
    const trusted = await release.read(...caBundle);
    expect(trusted).not.toBe('');
    await release.change(
      'upgrade',
      '--set=logLevel=debug',
      '--set=webhook.failurePolicy=Fail',
      '--set=mcp.enabled=true',
    );
    const policy = ['.webhooks[0].failurePolicy', 'validatingwebhookconfiguration', 'xebec-istio-system'] as const;
    expect(await release.read(...policy)).toBe('Fail');
    expect(await release.read('.spec.ports[*].port', 'service', 'xebec')).toBe('15012 15014 443 9901');
    expect(await release.read(...caBundle)).toBe(trusted);
    expect(await refusal()).toContain('has 2 problems');

    await release.helm('rollback', 'xebec', '1', '--wait', '--timeout=120s');
    expect(await release.read(...policy)).toBe('Ignore');
    expect(await release.read('.spec.ports[*].port', 'service', 'xebec')).toBe('15012 15014 443');
    expect(await release.read(...caBundle)).toBe(trusted);
    expect(await refusal()).toContain('has 2 problems');
  });

  test('is removed, and leaves nothing but the definitions, identities, and what people applied', async () => {
    await node.client().kubectl(['delete', `--namespace=${namespace}`, '-f', join(samples, 'shop.yaml'), '--wait']);
    await release.helm('uninstall', 'xebec', '--wait');
    await node.client().waitFor('nothing is left', async () => {
      const after = await inventory(node.client());
      const left = [...after].filter((name) => !before.has(name) && !isIdentity(name));
      if (left.length > 0) throw new Error(left.join(', '));
      return true;
    });
    expect(await virtualService('.metadata.name')).toBe('shop');
    // Who had an identity still has it, and the next xebec takes up what signed it.
    expect(await release.read('.type', 'secret', 'istio-ca-secret')).toBe('istio.io/ca-root');
    const own = ['get', 'secret', 'istio.default', `--namespace=${namespace}`, '--output=jsonpath={.type}'];
    expect(await node.client().kubectl(own)).toBe('istio.io/key-and-cert');
  });
});
