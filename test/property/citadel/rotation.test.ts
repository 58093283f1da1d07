// Whatever happens to the root and to its store, and however late workloads hear of it: any two of them can talk at any time.
import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FindEvidence } from '../../../src/citadel/authority/evidence.ts';
import { certificatesIn } from '../../../src/citadel/authority/pem.ts';
import { issueIdentity } from '../../../src/citadel/issuer.ts';
import { DAY_MS, HOUR_MS, ownStore, pass, type Replica, startReplica } from '../../../src/citadel/testing/replica.ts';
import { ManualClock } from '../../../src/kit/manual-clock.ts';

const REPLICAS = 3;
const WORKLOADS = 4;
const LEAF_MS = 2 * DAY_MS;
/** Each workload asks at least so often, which is sooner than a new root signs. */
const LATEST_MS = 20 * HOUR_MS;
const times = { rootLifetimeMs: 60 * DAY_MS, announceMs: DAY_MS, longestLeafMs: LEAF_MS, pollMs: HOUR_MS / 4 };

type Step =
  | { readonly kind: 'wait'; readonly hours: number }
  | { readonly kind: 'rotate' | 'delete' | 'truncate' | 'forget' }
  | { readonly kind: 'lead' | 'restart'; readonly replica: number }
  | { readonly kind: 'ask'; readonly workload: number; readonly replica: number };

const replica = fc.nat(REPLICAS - 1);
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 40 }) }) },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('ask' as const), workload: fc.nat(WORKLOADS - 1), replica }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('rotate' as const) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constantFrom('delete' as const, 'truncate' as const, 'forget' as const),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('lead' as const, 'restart' as const), replica }) },
  ) as fc.Arbitrary<Step>,
  { minLength: 10, maxLength: 40, size: 'max' },
);

type Workload = { chain: string; roots: string; askedAt: number };

class Mesh {
  readonly clock = new ManualClock(Date.UTC(2026, 0, 1));
  readonly store = ownStore();
  readonly replicas: Replica[] = [];
  readonly workloads: Workload[] = [];
  readonly signers = new Set<string>();
  leader = 0;
  #requests = 0;

  async start(): Promise<void> {
    for (let index = 0; index < REPLICAS; index += 1) this.replicas.push(this.#startReplica());
    this.#elect(0);
    await pass(this.clock, 10_000);
    for (let index = 0; index < WORKLOADS; index += 1) this.workloads.push(this.#ask(index % REPLICAS));
  }

  async end(): Promise<void> {
    for (const each of this.replicas) await each.stop();
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'wait':
        for (let hour = 0; hour < step.hours; hour += 1) await this.#hour();
        return;
      case 'rotate':
      case 'delete':
      case 'truncate':
      case 'forget':
        this.#spoil(step.kind);
        return;
      case 'lead':
        this.#elect(step.replica);
        return;
      case 'restart':
        await this.#restart(step.replica);
        return;
      case 'ask':
        this.#renew(step.workload, step.replica);
        return;
    }
  }

  #spoil(how: 'rotate' | 'delete' | 'truncate' | 'forget'): void {
    const { files = {} } = this.store;
    switch (how) {
      case 'rotate':
        this.#requests += 1;
        this.store.put(files, { rotate: `request ${this.#requests}` });
        return;
      case 'delete':
        this.store.remove();
        return;
      case 'truncate':
        this.store.put({ ...files, 'ca-cert.pem': files['ca-cert.pem']?.slice(0, 90) ?? '' });
        return;
      case 'forget':
        this.store.put({ ...files, 'rotation.json': '' });
        return;
    }
  }

  async #hour(): Promise<void> {
    await pass(this.clock, HOUR_MS, 4);
    for (const [index, { askedAt }] of this.workloads.entries())
      if (this.clock.now() - askedAt >= LATEST_MS) this.#renew(index, index % REPLICAS);
    this.expectAllTalk();
  }

  #startReplica(): Replica {
    const evidence: FindEvidence = () => {
      const roots = this.workloads.flatMap((workload) => certificatesIn(workload.roots) ?? []);
      return Promise.resolve({ kind: 'known', published: roots, issued: [], where: 'workloads' });
    };
    return startReplica(this.clock, { own: this.store, evidence, times });
  }

  #elect(index: number): void {
    this.leader = index;
    for (const [each, { lead }] of this.replicas.entries()) lead(each === index);
  }

  async #restart(index: number): Promise<void> {
    await this.replicas[index]?.stop();
    this.replicas[index] = this.#startReplica();
    this.#elect(this.leader);
    await pass(this.clock, HOUR_MS, 10);
    // A mesh is lost when nobody knows the key any more; one that still signs brings the others back.
    expect(this.replicas.map(({ authority }) => authority.current() !== undefined)).toEqual([true, true, true]);
  }

  #renew(workload: number, index: number): void {
    this.workloads[workload] = this.#ask(index);
  }

  #ask(index: number): Workload {
    const issuer = this.replicas[index]?.authority.current();
    if (issuer === undefined) throw new Error('nobody signs');
    const now = this.clock.now();
    const identity = { namespace: 'shop', serviceAccount: 'web' };
    const { chain, roots } = issueIdentity(issuer, { identity, now, lifetimeMs: LEAF_MS });
    this.signers.add(issuer.signer.certificate);
    return { chain, roots, askedAt: now };
  }

  expectAllTalk(): void {
    const now = this.clock.now();
    for (const { chain } of this.workloads)
      for (const { roots } of this.workloads) expect(isBelieved(chain, roots, now)).toBe(true);
  }
}

function isBelieved(chain: string, roots: string, now: number): boolean {
  const leaf = new X509Certificate(chain);
  const isAlive = (certificate: X509Certificate): boolean =>
    now >= Date.parse(certificate.validFrom) && now < Date.parse(certificate.validTo);
  const parents = certificatesIn(roots) ?? [];
  return (
    isAlive(leaf) && parents.some((root) => isAlive(root) && leaf.checkIssued(root) && leaf.verify(root.publicKey))
  );
}

test('any two workloads believe each other, through rotations, losses, elections and restarts', async () => {
  const seen = { signers: 0 };
  await fc.assert(
    fc.asyncProperty(steps, async (taken) => {
      const mesh = new Mesh();
      try {
        await mesh.start();
        for (const step of taken) await mesh.take(step);
        await mesh.take({ kind: 'wait', hours: 30 });
        seen.signers = Math.max(seen.signers, mesh.signers.size);
      } finally {
        await mesh.end();
      }
    }),
    { numRuns: Number(process.env['XEBEC_RUNS'] ?? 6) },
  );
  // Else nothing was shown.
  expect(seen.signers).toBeGreaterThan(2);
});
