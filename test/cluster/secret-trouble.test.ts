// Identities while others write the same Secrets, certificates end, the API server is away, or somebody refuses: a real API server.
import { X509Certificate } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { testIssuer } from '../../src/citadel/testing/issuers.ts';
import { asRecord, resourceVersionOf } from '../../src/kube/json.ts';
import { eventually } from './kube-copy.ts';
import {
  bundle,
  demand,
  fileIn,
  forever,
  isGood,
  otherRoot,
  root,
  secrets,
  useIdentityCluster,
} from './support/identity-cluster.ts';

const shop = useIdentityCluster();

test('a change of the issuer reaches every Secret, although somebody else writes them all the while', async () => {
  const names = Array.from({ length: 60 }, (_, index) => `account-${index}`);
  const replica = await shop().lead();
  await shop().makeAccounts(...names);
  for (const name of names) await shop().good(name);
  const keys = new Map<string, string>();
  for (const name of names) keys.set(name, await shop().fileOf(name, 'key.pem'));

  const stop = new AbortController();
  const busy = (async () => {
    for (let note = 0; !stop.signal.aborted; note += 1) {
      const name = `istio.${names[note % names.length]}`;
      await shop().edit(secrets, name, (secret) => {
        const metadata = asRecord(secret['metadata']);
        return {
          ...secret,
          metadata: { ...metadata, annotations: { ...asRecord(metadata['annotations']), note: String(note) } },
        };
      });
    }
  })();
  // Told first: only the roots change.
  shop().issuers.use(testIssuer(root, { roots: bundle }));
  await eventually('told', async () => {
    const found = await Promise.all(names.map((name) => shop().secretOf(name)));
    return found.every((secret) => fileIn(secret, 'root-cert.pem') === bundle);
  });
  for (const name of names) expect(await shop().fileOf(name, 'key.pem')).toBe(keys.get(name));
  shop().issuers.use(testIssuer(otherRoot, { roots: bundle }));
  await eventually('signed by the other', async () => {
    const found = await Promise.all(names.map((name) => shop().secretOf(name)));
    return found.every((secret) => isGood(secret, otherRoot));
  });
  stop.abort();
  await busy;
  expect(asRecord(asRecord((await shop().secretOf(names[0] ?? ''))?.['metadata'])['annotations'])).toHaveProperty(
    'note',
  );
  expect(replica.errors()).toEqual([]);
});

test('certificates that live for seconds are renewed before they end, again and again, and no more often', async () => {
  await shop().makeAccounts('web');
  const replica = await shop().lead('one', { rules: { lifetimeMs: 6_000, minGraceMs: 1_000 } });
  await shop().good('web');
  const seen = new Set<string>();
  let ended = 0;
  await eventually('renewed four times', async () => {
    const leaf = new X509Certificate(await shop().fileOf('web', 'cert-chain.pem'));
    seen.add(leaf.serialNumber);
    if (Date.parse(leaf.validTo) <= Date.now()) ended += 1;
    return seen.size >= 5;
  });
  const written = replica.writes.filter((write) => write === `update ${shop().namespace}/istio.web`);
  expect(ended).toBe(0);
  expect(written).toHaveLength(4);
  expect(replica.log.filter((line) => line.includes('it is due'))).not.toHaveLength(0);
  expect(replica.errors()).toEqual([]);
});

test('an API server that goes away is waited for, and then everything is as it should be', async () => {
  const replica = await shop().lead();
  await shop().makeAccounts('web');
  await shop().good('web');
  await shop().server.down();
  shop().issuers.use(testIssuer(otherRoot, { roots: bundle }));
  await sleep(3_000);
  await shop().server.up();
  await shop().makeAccounts('late');
  await eventually('of the new issuer', async () => isGood(await shop().secretOf('web'), otherRoot));
  await eventually('the late one', async () => isGood(await shop().secretOf('late'), otherRoot));
  expect(replica.errors()).toEqual([]);
});

test('a policy that refuses, a quota that is full, and a Secret of somebody else are told on the account, and looked at again', async () => {
  const { namespace } = shop();
  const policy = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: namespace },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: {
        resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['secrets'] }],
      },
      validations: [{ expression: "object.metadata.name != 'istio.strict'", message: 'no identities for the strict' }],
    },
  };
  const binding = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: namespace },
    spec: { policyName: namespace, validationActions: ['Deny'] },
  };
  const policies = { group: 'admissionregistration.k8s.io', version: 'v1', plural: 'validatingadmissionpolicies' };
  const bindings = { ...policies, plural: 'validatingadmissionpolicybindings' };
  await demand(shop().api.create(policies, policy, forever));
  await demand(shop().api.create(bindings, binding, forever));
  onTestFinished(async () => {
    await shop().api.delete(bindings, { namespace: '', name: policy.metadata.name }, forever);
    await shop().api.delete(policies, { namespace: '', name: policy.metadata.name }, forever);
  });
  const foreign = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace, name: 'istio.taken' },
    type: 'Opaque',
    data: { a: 'YQ==' },
  };
  const taken = await demand(shop().api.create(secrets, foreign, forever));
  await eventually('the policy is in force', async () => {
    const strict = { ...foreign, metadata: { namespace, name: 'istio.strict' } };
    const tried = await shop().api.create(secrets, strict, forever, true);
    return !tried.ok && tried.error.message.includes('strict');
  });
  const replica = await shop().lead();
  await shop().makeAccounts('strict', 'taken', 'web');
  await shop().good('web');
  await eventually('told of the policy', async () =>
    /IdentitySecretRefused.*no identities for the strict/.test(await shop().eventsOf('strict')),
  );
  await eventually('told of the Secret', async () =>
    (await shop().eventsOf('taken')).includes('IdentitySecretForeign'),
  );
  expect(resourceVersionOf((await shop().secretOf('taken')) ?? {})).toBe(resourceVersionOf(taken));

  const full = {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { namespace, name: 'full' },
    spec: { hard: { 'count/secrets': '1' } },
  };
  const quotas = { group: '', version: 'v1', plural: 'resourcequotas' };
  await demand(shop().api.create(quotas, full, forever));
  // Whoever judges hears of a quota later than whoever counts.
  await eventually('the quota is in force', async () => {
    const one = { ...foreign, metadata: { namespace, name: 'one-more' } };
    const tried = await shop().api.create(secrets, one, forever, true);
    return !tried.ok && tried.error.message.includes('exceeded quota');
  });
  await shop().makeAccounts('late');
  await eventually('told of the quota', async () =>
    /IdentitySecretRefused.*exceeded quota/.test(await shop().eventsOf('late')),
  );
  await demand(shop().api.delete(quotas, { namespace, name: 'full' }, forever));
  await shop().remove(secrets, 'istio.taken');
  await shop().good('late');
  await shop().good('taken');
  expect(replica.errors()).toEqual([]);
});
