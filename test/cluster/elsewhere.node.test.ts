import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { checkout } from '../../tools/paths.mjs';
import { needNamespaces } from '../support/namespaces.ts';
import { sharedNode } from './node-shared.ts';
import { chart, inventory, Release } from './release.ts';
import { unlike, usedRights } from './rights.ts';

// The chart where it is less at home: helm 4, a namespace of digits, definitions that others made, a second xebec in the same cluster.

needNamespaces();
const node = sharedNode();
const release = new Release({ client: node.client, helm: 'helm4', name: 'mesh', namespace: '4711' });
const second = new Release({ client: node.client, helm: 'helm3', name: '2nd', namespace: 'second' });
const fullname = 'mesh-xebec';
let before: ReadonlySet<string> = new Set();

const bad = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: bad, namespace: default }
spec: { hosts: [shop.example], http: [{ timeout: -1s, route: [{ destination: { host: one } }] }] }
`;

async function refusal(): Promise<string> {
  const { status, stderr } = await node.client().tryKubectl(['apply', '-f', '-'], bad);
  return status === 0 ? 'was admitted' : stderr;
}

const configuration = ['validatingwebhookconfiguration', `${fullname}-4711`] as const;

describe('the chart elsewhere', () => {
  beforeAll(async () => {
    await release.prepare();
    await second.prepare();
    await node.client().kubectl(['apply', '--server-side', '--force-conflicts', '-f', join(checkout, 'crds')]);
    before = await inventory(node.client());
  });
  afterAll(async () => {
    await release.remove();
    await second.remove();
  });

  test('does not take definitions that others made, unless it is told to', async () => {
    // As `kubectl apply -f crds/` made them, or a release that is gone.
    await node
      .client()
      .kubectl([
        'annotate',
        'crd',
        'virtualservices.networking.istio.io',
        'meta.helm.sh/release-name=gone',
        '--overwrite',
      ]);
    await expect(release.change('install')).rejects.toThrow('invalid ownership metadata');
    await release.change('install', '--take-ownership');
    expect(await release.read('.status.readyReplicas', 'deployment', fullname)).toBe('1');
    expect(await refusal()).toContain('VirtualService default/bad has 1 problem');
  });

  test('passes helm test there', async () => {
    expect(await release.helm('test', 'mesh')).toContain('Succeeded');
  });

  test('is upgraded by server-side apply, which leaves alone what xebec writes', async () => {
    const trusted = await release.read('.webhooks[0].clientConfig.caBundle', ...configuration);
    const holder = await release.read('.spec.holderIdentity', 'lease', `${fullname}-leader`);
    const certificate = await release.read('.data.tls\\.crt', 'secret', 'xebec-webhook-tls');
    expect([trusted, holder, certificate]).not.toContain('');
    await release.change('upgrade', '--set=webhook.failurePolicy=Fail', '--set=podLabels.team=mesh');
    expect(await release.read('.webhooks[0].failurePolicy', ...configuration)).toBe('Fail');
    expect(await release.read('.webhooks[0].clientConfig.caBundle', ...configuration)).toBe(trusted);
    expect(await release.read('.data.tls\\.crt', 'secret', 'xebec-webhook-tls')).toBe(certificate);
    expect(await refusal()).toContain('has 1 problem');
  });

  test('stands beside another one, applied by kubectl, in another namespace', async () => {
    const template = ['template', second.name, chart, '--set=crds.enabled=false', '--set=test.enabled=false'];
    const objects = await second.helm(template[0] ?? '', ...template.slice(1));
    await node.client().apply(objects);
    await node.client().waitForCondition('Available', ['deployment/xebec-2nd-xebec', '--namespace=second'], 120_000);
    const leader = await node.client().waitFor('the second has a leader of its own', async () => {
      const holder = await second.read('.spec.holderIdentity', 'lease', 'xebec-2nd-xebec-leader');
      return holder === '' ? undefined : holder;
    });
    expect(leader).toMatch(/^xebec-2nd-xebec-/);
    expect(await release.read('.spec.holderIdentity', 'lease', `${fullname}-leader`)).toMatch(/^mesh-xebec-/);
    await node.client().kubectl(['delete', '-f', '-'], objects);
  });

  test('makes anew what was taken from it', async () => {
    const { uid: lease } = await uidOf('lease', `${fullname}-leader`);
    const { uid: secret } = await uidOf('secret', 'xebec-webhook-tls');
    await release.kubectl('delete', 'lease', `${fullname}-leader`);
    await release.kubectl('delete', 'secret', 'xebec-webhook-tls');
    await node.client().waitFor('both are there again', async () => {
      const again = [await uidOf('lease', `${fullname}-leader`), await uidOf('secret', 'xebec-webhook-tls')];
      return again.every(({ uid }) => uid !== '' && uid !== lease && uid !== secret) ? true : undefined;
    });
    expect(await refusal()).toContain('has 1 problem');
  });

  test('grants what xebec uses, and nothing else', async () => {
    // A status that is written, and an Event, since nobody has a Gateway of that name.
    const questionable = bad.replace('timeout: -1s', 'timeout: 1s').replace('spec: {', 'spec: { gateways: [nobody],');
    await node.client().apply(questionable);
    await node.client().waitFor('there is an Event', async () => {
      const events = await node.client().kubectl(['get', 'events', '--output=jsonpath={.items[*].reportingComponent}']);
      return events.includes('xebec.dev/xebec') ? true : undefined;
    });
    await node.client().kubectl(['delete', 'vs', 'bad']);

    const rules = await release.helm('template', 'mesh', chart, '--show-only=templates/rbac.yaml');
    const audit = readFileSync(inject('auditLog'), 'utf8');
    const { refused, unused } = unlike(rules, usedRights(audit, 'system:serviceaccount:4711:mesh-xebec'));
    expect(refused).toEqual([]);
    expect(unused).toEqual([
      // Only when objects go, to learn whether that is because their definition does.
      'get customresourcedefinitions.apiextensions.k8s.io',
      // Only when an Event is repeated later than ten minutes.
      'patch events.events.k8s.io',
    ]);
  });

  test('is removed, and leaves nothing but the definitions', async () => {
    await release.helm('uninstall', 'mesh', '--wait');
    await node.client().waitFor('nothing is left', async () => {
      const after = await inventory(node.client());
      const left = [...after].filter((name) => !before.has(name));
      if (left.length > 0) throw new Error(left.join(', '));
      return true;
    });
  });
});

async function uidOf(kind: string, name: string): Promise<{ readonly uid: string }> {
  const list = await release.kubectl('get', kind, name, '--ignore-not-found', '--output=jsonpath={.metadata.uid}');
  return { uid: list };
}
