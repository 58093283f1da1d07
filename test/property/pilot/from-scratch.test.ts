import fc from 'fast-check';
import { expect, test } from 'vitest';
import { renderOrigin } from '../../../src/app/verdict-log.ts';
import { memoByIdentity } from '../../../src/kit/memo.ts';
import type { ConfigSnapshot } from '../../../src/model/config-snapshot.ts';
import { provenProxy } from '../../../src/pilot/proxy/offline.ts';
import { MeshSnapshotBuilder } from '../../../src/pilot/snapshot/snapshot-builder.ts';
import { Views } from '../../../src/pilot/view/views.ts';
import type { XdsSnapshot } from '../../../src/xds/ports.ts';
import type { EncodedResource } from '../../../src/xds/resource.ts';
import { Verdicts } from '../../../src/xds/verdicts.ts';
import type { Manifest } from '../../feature/pilot/support/manifests.ts';
import { anyObject, edit, runs } from './random-objects.ts';
import { beginning } from './random-registry.ts';
import { Admission, proxies as connected } from './world.ts';

/** Those that have proven who they are may be sent keys. */
const proxies = [...connected, ...connected.map(provenProxy)];

/** One who has lived through everything, or sees it all for the first time. */
class Witness {
  readonly #builder = new MeshSnapshotBuilder({ domainSuffix: 'cluster.local', clusterId: 'Kubernetes' });
  readonly #views = new Views(new Verdicts());

  see(config: ConfigSnapshot): readonly XdsSnapshot[] {
    const { snapshot } = this.#builder.build(config);
    return proxies.map((proxy) => this.#views.snapshotFor(snapshot, proxy));
  }
}

/** Every byte of what each proxy gets, with what the resource needs and came from; the order within a type is nobody's concern. */
function linesOf(snapshots: readonly XdsSnapshot[]): readonly string[] {
  return snapshots.flatMap((snapshot, index) =>
    [...snapshot].flatMap(([url, { resources }]) => {
      const owner = `${proxies[index]?.name} ${url.slice(url.lastIndexOf('.') + 1)}`;
      return [...resources.values()].map((resource) => `${owner} ${lineOf(resource)}`).sort();
    }),
  );
}

const lineOf = memoByIdentity(({ name, version, frame, needs, origins }: EncodedResource): string => {
  const rest = [needs.map((need) => need.name), origins.map(renderOrigin)];
  return [name, version, JSON.stringify(rest), frame.toString('base64')].join(' ');
});

async function seeOnce(objects: readonly Manifest[]): Promise<readonly string[]> {
  const admission = await Admission.of(objects);
  const seen = linesOf(new Witness().see(admission.config));
  await admission.stop();
  return seen;
}

const start = fc.array(anyObject, { minLength: 5, maxLength: 25, size: 'max' });
const life = fc.array(edit, { minLength: 1, maxLength: 10 });

test('what grew edit by edit is what is made from scratch, byte by byte', async () => {
  await fc.assert(
    fc.asyncProperty(start, life, async (objects, edits) => {
      const admission = await Admission.of([...beginning, ...objects]);
      const witness = new Witness();
      witness.see(admission.config);
      for (const each of edits) {
        await admission.take(each);
        const grown = linesOf(witness.see(admission.config));
        expect(admission.errors()).toEqual([]);
        expect(grown).toEqual(linesOf(new Witness().see(admission.config)));
      }
      expect(linesOf(witness.see(admission.config))).toEqual(await seeOnce(admission.objects));
      await admission.stop();
    }),
    runs(50),
  );
});

test('the same objects in any order give the same bytes', async () => {
  const shuffled = start.chain((objects) => {
    const once = unique([...beginning, ...objects]);
    return fc.tuple(fc.constant(once), fc.shuffledSubarray([...once], { minLength: once.length }));
  });
  await fc.assert(
    fc.asyncProperty(shuffled, async ([objects, mixed]) => {
      expect(await seeOnce(mixed)).toEqual(await seeOnce(objects));
    }),
    runs(50),
  );
});

/** Of several objects with one name the last. */
function unique(objects: readonly Manifest[]): readonly Manifest[] {
  return [...new Map(objects.map((each) => [keyOf(each), each])).values()];
}

function keyOf({ kind, metadata }: Manifest): string {
  const { namespace, name } = metadata as Manifest;
  return JSON.stringify([kind, namespace, name]);
}
