import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MeshSnapshot } from '../../../src/model/mesh-snapshot.ts';
import { MeshSnapshotBuilder } from '../../../src/pilot/snapshot/snapshot-builder.ts';
import { emptyRouteConfiguration } from '../../../src/pilot/view/missing.ts';
import { Views } from '../../../src/pilot/view/views.ts';
import { Verdicts } from '../../../src/xds/verdicts.ts';
import { expectInStep } from '../../feature/pilot/support/expect-in-step.ts';
import { ModelEnvoy, type Protocol } from '../../feature/pilot/support/model-envoy.ts';
import { GRACE_MS, Link } from './link.ts';
import { anyObject, type Edit, edit, runs } from './random-objects.ts';
import { beginning } from './random-registry.ts';
import { Admission, nodes, proxies } from './world.ts';

type Step = { readonly kind: 'request' | 'server' | 'client' } | { readonly kind: 'edit'; readonly edit: Edit };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constantFrom('request' as const, 'server' as const, 'client' as const) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('edit' as const), edit }) },
);
const start = fc.array(anyObject, { minLength: 5, maxLength: 25, size: 'max' });
const steps = fc.array(step, { maxLength: 80, size: 'max' });
const whose = fc.nat({ max: nodes.length - 1 });

/** The real translation behind one proxy's session, edit after edit. */
class Mesh {
  readonly verdicts = new Verdicts();
  readonly #builder = new MeshSnapshotBuilder({ domainSuffix: 'cluster.local', clusterId: 'Kubernetes' });
  readonly #views = new Views(this.verdicts);
  readonly #admission: Admission;
  readonly #who: number;
  #mesh: MeshSnapshot;

  constructor(admission: Admission, who: number) {
    this.#admission = admission;
    this.#who = who;
    this.#mesh = this.#builder.build(admission.config).snapshot;
  }

  current() {
    const proxy = proxies[this.#who];
    if (proxy === undefined) throw new Error('nobody');
    return this.#views.snapshotFor(this.#mesh, proxy);
  }

  async take(each: Edit): Promise<void> {
    await this.#admission.take(each);
    this.#mesh = this.#builder.build(this.#admission.config).snapshot;
  }
}

describe.each<Protocol>(['delta', 'sotw'])('%s, any edits in any interleaving', (protocol) => {
  test('never leave a reference broken, and end in step', async () => {
    await fc.assert(
      fc.asyncProperty(start, steps, whose, async (objects, then, who) => {
        const admission = await Admission.of([...beginning, ...objects]);
        const mesh = new Mesh(admission, who);
        const node = nodes[who] ?? { id: '', metadata: {} };
        const view = { current: () => mesh.current(), missing: emptyRouteConfiguration };
        const link = new Link(new ModelEnvoy(protocol, node), view, mesh.verdicts);
        const check = (): void => expect(link.broken()).toEqual([]);
        link.noteDangling();
        if (objects.length % 2 === 0) link.settle(check);
        for (const each of then) {
          if (each.kind === 'edit') await mesh.take(each.edit);
          else if (each.kind === 'request') link.stepRequest();
          else if (each.kind === 'server') link.stepServer();
          else link.stepClient();
          link.noteDangling();
          check();
        }
        link.settle(check);
        // A new form of what leads nowhere is held back for a while, in case the rest of an edit is still to come; twice where the
        // cluster that it names is on its way out.
        for (let round = 0; round < 2; round += 1) {
          link.now += GRACE_MS;
          link.settle(check);
        }
        expectInStep(link.client, mesh.current());
        if (!link.wasDangling) expect(link.overdue).toEqual([]);
        await admission.stop();
      }),
      runs(60),
    );
  });
});
