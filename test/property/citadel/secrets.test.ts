// Whatever happens to namespaces, accounts, Secrets, issuers, leaders and the API server, in any order and told as late as may be:
// in the end there is what whoever began now would make, and nobody has anything left to write.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readAccount } from '../../../src/citadel/secrets/account.ts';
import { judgeSecret } from '../../../src/citadel/secrets/judge-secret.ts';
import { isManaged, readNamespace } from '../../../src/citadel/secrets/namespaces.ts';
import { readAuthority } from '../../../src/citadel/secrets/signing-authority.ts';
import { testIssuer } from '../../../src/citadel/testing/issuers.ts';
import { HOUR_MS, otherRoot, root, rules, SecretWorld } from '../../../src/citadel/testing/secret-world.ts';
import { asRecord, nameOf } from '../../../src/kube/json.ts';

const bundle = root.certificate + otherRoot.certificate;

const issuers = {
  one: testIssuer(root),
  announced: testIssuer(root, { roots: bundle }),
  switched: testIssuer(otherRoot, { roots: bundle }),
  two: testIssuer(otherRoot),
  renamed: testIssuer(root, { trustDomain: 'new.example' }),
  none: undefined,
};

const labelSets = [
  {},
  { 'ca.istio.io/override': 'false' },
  { 'ca.istio.io/override': 'true' },
  { 'ca.istio.io/env': 'other' },
];

const place = { namespace: fc.constantFrom('a', 'b'), account: fc.constantFrom('x', 'y', 'z') };

const step = fc.oneof(
  fc.record({ kind: fc.constant('account' as const), ...place }),
  fc.record({ kind: fc.constant('no account' as const), ...place }),
  fc.record({
    kind: fc.constant('relabel' as const),
    namespace: place.namespace,
    labels: fc.constantFrom(...labelSets),
  }),
  fc.record({ kind: fc.constant('no secret' as const), ...place }),
  fc.record({
    kind: fc.constant('spoil' as const),
    ...place,
    file: fc.constantFrom('key.pem', 'cert-chain.pem', 'root-cert.pem', 'sds-root.yaml'),
  }),
  fc.record({ kind: fc.constant('swap' as const), ...place, with: place.account }),
  fc.record({ kind: fc.constant('disown' as const), ...place }),
  fc.record({ kind: fc.constant('freeze' as const), ...place }),
  fc.record({ kind: fc.constant('foreign' as const), ...place }),
  fc.record({
    kind: fc.constant('issuer' as const),
    name: fc.constantFrom(...(Object.keys(issuers) as (keyof typeof issuers)[])),
  }),
  fc.record({ kind: fc.constant('lead' as const), isLed: fc.boolean() }),
  fc.record({ kind: fc.constant('watches' as const), isHeld: fc.boolean() }),
  fc.record({
    kind: fc.constant('refuse' as const),
    how: fc.constantFrom('unreachable', 'conflict', 'forbidden', 'server', 'nothing'),
  }),
  fc.record({ kind: fc.constant('time' as const), ms: fc.constantFrom(100, 1_000, 5_000, 60_000, 11 * HOUR_MS) }),
  fc.record({ kind: fc.constant('settle' as const) }),
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type At = { readonly namespace: string; readonly account: string };

function setFile(world: SecretWorld, { namespace, account }: At, files: Readonly<Record<string, unknown>>): void {
  world.edit(namespace, account, (secret) => ({ ...secret, data: { ...asRecord(secret['data']), ...files } }));
}

async function take(world: SecretWorld, what: Step): Promise<void> {
  switch (what.kind) {
    case 'account':
      world.account(what.namespace, what.account);
      return;
    case 'no account':
      world.removeAccount(what.namespace, what.account);
      return;
    case 'relabel':
      world.namespace(what.namespace, what.labels);
      return;
    case 'lead':
      if (what.isLed) world.lead();
      else await world.resign();
      return;
    case 'issuer':
      world.issuers.use(issuers[what.name]);
      return;
    case 'time':
      await world.pass(what.ms, 2);
      return;
    case 'settle':
      await world.settle();
      return;
    case 'watches':
      if (what.isHeld) world.kube.isHeld = true;
      else world.kube.release();
      return;
    case 'refuse': {
      const { how } = what;
      world.kube.refuse = ({ verb }) => (how === 'nothing' || (how === 'conflict' && verb === 'get') ? undefined : how);
      return;
    }
    default:
      meddle(world, what);
  }
}

function meddle(
  world: SecretWorld,
  what: Exclude<
    Step,
    {
      readonly kind:
        | 'account'
        | 'no account'
        | 'relabel'
        | 'lead'
        | 'issuer'
        | 'time'
        | 'settle'
        | 'watches'
        | 'refuse';
    }
  >,
): void {
  const { namespace, account } = what;
  const name = { namespace, name: `istio.${account}` };
  switch (what.kind) {
    case 'no secret':
      world.kube.remove('secrets', name);
      return;
    case 'spoil':
      setFile(world, what, { [what.file]: 'c3BvaWx0' });
      return;
    case 'swap':
      setFile(world, what, asRecord(world.secret(namespace, what.with)?.['data']));
      return;
    case 'disown':
      world.edit(namespace, account, (secret) => {
        const { ownerReferences: _, ...metadata } = asRecord(secret['metadata']);
        return { ...secret, metadata };
      });
      return;
    case 'freeze':
      world.edit(namespace, account, (secret) => ({ ...secret, immutable: true }));
      return;
    case 'foreign':
      world.kube.remove('secrets', name);
      world.kube.put('secrets', { metadata: name, type: 'Opaque', data: {} });
  }
}

/** Everything that is wrong, and only what Citadel is to put right. */
function faults(world: SecretWorld): readonly string[] {
  const issuer = world.issuers.current();
  if (issuer === undefined) throw new Error('there is an issuer in the end');
  const found: string[] = [];
  const namespaces = new Map(
    world.kube.list('namespaces').map((object) => [nameOf(object).name, readNamespace(object)]),
  );
  for (const object of world.kube.list('serviceaccounts')) {
    const account = readAccount(object);
    const facts = namespaces.get(account.namespace);
    if (facts === undefined || !isManaged(facts, rules)) continue;
    const secret = world.secret(account.namespace, account.name);
    const inputs = { account, authority: readAuthority(issuer), rules, now: world.clock.now() };
    const kind = secret === undefined ? 'missing' : judgeSecret({ secret, ...inputs }).kind;
    if (kind !== 'good' && kind !== 'foreign') found.push(`${account.namespace}/${account.name} is ${kind}`);
  }
  for (const secret of world.kube.list('secrets')) {
    const { namespace, name } = nameOf(secret);
    const isOrphan = world.kube.find('serviceaccounts', namespace, name.slice('istio.'.length)) === undefined;
    if (isOrphan && secret['type'] !== 'Opaque') found.push(`${namespace}/${name} has no account`);
  }
  return found;
}

async function finish(world: SecretWorld): Promise<void> {
  world.kube.refuse = () => undefined;
  world.kube.release();
  if (world.issuers.current() === undefined) world.issuers.use(issuers.two);
  world.lead();
  await world.settle();
  // Whatever waits for its next try gets it.
  await world.pass(400_000, 40);
}

test('in the end there is what whoever began now would make', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const world = new SecretWorld();
      try {
        world.namespace('a');
        world.namespace('b');
        world.account('a', 'x');
        world.lead();
        for (const each of steps) await take(world, each);
        await finish(world);
        expect(faults(world)).toEqual([]);

        await world.resign();
        world.kube.writes.length = 0;
        world.lead();
        await world.settle();
        expect(world.kube.writes).toEqual([]);
        expect(world.lines.filter((line) => line.startsWith('error'))).toEqual([]);
      } finally {
        await world.resign();
      }
    }),
    { numRuns: 120 },
  );
});
