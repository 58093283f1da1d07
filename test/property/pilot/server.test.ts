import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ManualClock } from '../../../src/kit/manual-clock.ts';
import { expectInStep } from '../../feature/pilot/support/expect-in-step.ts';
import { ModelEnvoy, type Protocol } from '../../feature/pilot/support/model-envoy.ts';
import { TestProcess } from '../../feature/pilot/support/process.ts';
import { anyObject, runs } from './random-objects.ts';
import { beginning } from './random-registry.ts';
import { nodes, proxies } from './world.ts';

const start = fc.array(anyObject, { minLength: 5, maxLength: 20, size: 'max' });
const edits = fc.array(fc.array(anyObject, { minLength: 1, maxLength: 3 }), { maxLength: 5 });

function clients(protocol: Protocol): readonly ModelEnvoy[] {
  return nodes.map((node) => new ModelEnvoy(protocol, node));
}

function expectAllInStep(mesh: TestProcess, envoys: readonly ModelEnvoy[]): void {
  for (const client of envoys) {
    const proxy = proxies.find(({ id }) => id === client.id);
    if (proxy !== undefined) expectInStep(client, mesh.xebec.pilot.snapshotFor(proxy));
  }
}

test('after any edits, delta and state-of-the-world clients have what their views have, also when they come again', async () => {
  await fc.assert(
    fc.asyncProperty(start, edits, async (objects, then) => {
      const mesh = await TestProcess.start([...beginning, ...objects], { clock: new ManualClock() });
      const [delta, sotw] = [clients('delta'), clients('sotw')];
      await mesh.connectAll([...delta, ...sotw]);
      for (const each of then) await mesh.apply(...each);
      expectAllInStep(mesh, [...delta, ...sotw]);
      for (const [index, client] of delta.entries()) expect(client.contents()).toEqual(sotw[index]?.contents());
      for (const client of delta) await mesh.disconnect(client);
      for (const client of delta) client.take();
      await mesh.connectAll(delta);
      const resent = delta.flatMap((client) => client.take().flatMap(({ names, removed }) => [...names, ...removed]));
      expect(resent).toEqual([]);
      expectAllInStep(mesh, delta);
      await mesh.stop();
    }),
    { ...runs(10), endOnFailure: true },
  );
});
