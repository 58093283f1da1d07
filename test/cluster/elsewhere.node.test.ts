import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { checkout } from '../../tools/paths.mjs';
import { needNamespaces } from '../support/namespaces.ts';
import { sharedNode } from './node-shared.ts';
import { chart, inventory, isIdentity, Release } from './release.ts';
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

/** Objects whose status is written. */
const oneOfEachGroup = [
  ['security.istio.io/v1', 'AuthorizationPolicy', '{ action: ALLOW }'],
  ['telemetry.istio.io/v1', 'Telemetry', '{ accessLogging: [{ disabled: true }] }'],
  ['extensions.istio.io/v1alpha1', 'WasmPlugin', '{ url: "oci://example.com/plugin:1" }'],
  ['authentication.istio.io/v1alpha1', 'Policy', '{ peers: [{ mtls: {} }] }'],
  ['rbac.istio.io/v1alpha1', 'ServiceRole', '{ rules: [{ services: ["*"] }] }'],
  ['config.istio.io/v1alpha2', 'rule', '{ match: "true" }'],
].map(
  ([apiVersion, kind, spec]) =>
    `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: default, namespace: default }\nspec: ${spec}\n`,
);

/** An Event is only patched when it comes again, later than ten minutes. */
const unusedHere = ['patch events.events.k8s.io'];

const configuration = ['validatingwebhookconfiguration', `${fullname}-4711`] as const;

describe('the chart elsewhere', () => {
  beforeAll(async () => {
    await release.prepare();
    await second.prepare();
    await node.client().kubectl(['apply', '--server-side', '--force-conflicts', '-f', `${join(checkout, 'crds')}/`]);
    before = await inventory(node.client());
  });
  afterAll(async () => {
    await release.remove();
    await second.remove();
  });

  test('does not take definitions that others made, unless it is told to', async () => {
    // `kubectl apply -f crds/` made them.
    await expect(release.change('install')).rejects.toThrow('invalid ownership metadata');
    await release.change('install', '--take-ownership');
    expect(await release.read('.status.readyReplicas', 'deployment', fullname)).toBe('1');
    expect(await refusal()).toContain('VirtualService default/bad has 1 problem');
  });

  test('passes helm test there', async () => {
    expect(await release.helm('test', 'mesh')).toContain('Succeeded');
  });

  test('makes anew what was taken from it', async () => {
    const lease = await uidOf('lease', `${fullname}-leader`);
    const secret = await uidOf('secret', 'xebec-webhook-tls');
    await release.kubectl('delete', 'lease', `${fullname}-leader`);
    await release.kubectl('delete', 'secret', 'xebec-webhook-tls');
    await node.client().waitFor('both are there again', async () => {
      const again = [await uidOf('lease', `${fullname}-leader`), await uidOf('secret', 'xebec-webhook-tls')];
      return again.every((uid) => uid !== '' && uid !== lease && uid !== secret) ? true : undefined;
    });
    expect(await refusal()).toContain('has 1 problem');
  });

  test('is upgraded by server-side apply, which takes all that is its own, and leaves alone what xebec writes', async () => {
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
    // An account has one identity: the second gives none, and serves by the authority of the first.
    const values = ['--set=crds.enabled=false', '--set=test.enabled=false', '--set=controllers={galley,pilot}'];
    const template = ['template', second.name, chart, ...values];
    const authority = await release.kubectl('get', 'secret', 'istio-ca-secret', '--output=json');
    const { type, data } = JSON.parse(authority) as { readonly type: string; readonly data: object };
    const metadata = { name: 'cacerts', namespace: second.namespace };
    await node.client().apply([{ apiVersion: 'v1', kind: 'Secret', metadata, type, data }]);
    const objects = await second.helm(template[0] ?? '', ...template.slice(1));
    onTestFinished(async () => {
      await node.client().tryKubectl(['delete', '-f', '-'], objects);
      await second.kubectl('delete', 'secret', 'cacerts', '--ignore-not-found');
    });
    await node.client().apply(objects);
    await node.client().waitForCondition('Available', ['deployment/xebec-2nd-xebec', '--namespace=second'], 120_000);
    const leader = await node.client().waitFor('the second has a leader of its own', async () => {
      const holder = await second.read('.spec.holderIdentity', 'lease', 'xebec-2nd-xebec-leader');
      return holder === '' ? undefined : holder;
    });
    expect(leader).toMatch(/^xebec-2nd-xebec-/);
    expect(await release.read('.spec.holderIdentity', 'lease', `${fullname}-leader`)).toMatch(/^mesh-xebec-/);
  });

  test('grants what xebec uses, and nothing else', async () => {
    const questionable = bad.replace('timeout: -1s', 'timeout: 1s').replace('spec: {', 'spec: { gateways: [nobody],');
    await node.client().apply([questionable, ...oneOfEachGroup].join('---\n'));
    const rules = await release.helm('template', 'mesh', chart, '--show-only=templates/rbac.yaml');
    const look = () =>
      unlike(rules, usedRights(readFileSync(inject('auditLog'), 'utf8'), 'system:serviceaccount:4711:mesh-xebec'));
    await node.client().waitForCondition('Accepted', ['vs/bad', '--namespace=default']);
    // Whether a definition goes is asked when objects do.
    await node.client().kubectl(['delete', 'vs', 'bad', '--namespace=default']);
    await spoilRoots();
    await node.client().waitFor('all is used', async () => {
      const { unused } = look();
      if (unused.length > unusedHere.length) throw new Error(`not used: ${unused.join(', ')}`);
      return true;
    });
    expect(look()).toEqual({ refused: [], unused: unusedHere });
    await node.client().kubectl(['delete', '-f', '-'], oneOfEachGroup.join('---\n'));
  });

  test('is removed, and leaves nothing but the definitions and identities', async () => {
    await release.helm('uninstall', 'mesh', '--wait');
    await node.client().waitFor('nothing is left', async () => {
      const after = await inventory(node.client());
      const left = [...after].filter((name) => !before.has(name) && !isIdentity(name));
      if (left.length > 0) throw new Error(left.join(', '));
      return true;
    });
  });
});

/** Has Citadel put right what it told, and make anew what cannot be put right. */
async function spoilRoots(): Promise<void> {
  const patch = ['patch', 'configmap', 'istio-ca-root-cert', '--namespace=default', '--type=merge', '--patch'];
  for (const immutable of [false, true]) {
    await node.client().kubectl([...patch, JSON.stringify({ immutable, data: { 'root-cert.pem': 'nonsense' } })]);
    await node.client().waitFor('the roots are told again', async () => {
      const get = ['get', 'configmap', 'istio-ca-root-cert', '--namespace=default', '--output=jsonpath={.data}'];
      return (await node.client().kubectl(get)).includes('BEGIN CERTIFICATE') ? true : undefined;
    });
  }
}

/** Empty for what is not there. */
function uidOf(kind: string, name: string): Promise<string> {
  return release.kubectl('get', kind, name, '--ignore-not-found', '--output=jsonpath={.metadata.uid}');
}
