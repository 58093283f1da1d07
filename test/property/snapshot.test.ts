import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Diagnostic } from '../../src/model/diagnostic.ts';
import type { MeshSnapshot } from '../../src/model/mesh-snapshot.ts';
import type { ConfigObject } from '../../src/model/object.ts';
import { Scopes } from '../../src/pilot/scope/scopes.ts';
import { MeshSnapshotBuilder } from '../../src/pilot/snapshot/snapshot-builder.ts';
import { type ConfigEdit, configSnapshot, nextConfig } from '../../src/testing/config.ts';
import { beginnings, clients, edits } from './snapshot-edits.ts';

const options = { domainSuffix: 'cluster.local', clusterId: 'Kubernetes' };

type Step = {
  readonly mesh: Omit<MeshSnapshot, 'config'>;
  readonly diagnostics: readonly Diagnostic[];
  readonly scopes: readonly unknown[];
};

/** One who has lived through everything. */
class Witness {
  readonly #builder = new MeshSnapshotBuilder(options);
  readonly #scopes = new Scopes();

  see(config: ReturnType<typeof configSnapshot>): Step {
    const { snapshot, diagnostics } = this.#builder.build(config);
    const { config: _, ...mesh } = snapshot;
    const scopes = clients.flatMap((client) => [
      this.#scopes.sidecarScopeFor(snapshot, client),
      this.#scopes.gatewayScopeFor(snapshot, client),
    ]);
    return { mesh, diagnostics, scopes };
  }
}

/** Notes each value that holds what the one at the same place held before, and is another object. */
function findCopies(before: unknown, after: unknown, path: string, found: string[]): void {
  if (Object.is(before, after)) return;
  if (isDeepStrictEqual(before, after)) {
    found.push(path);
    return;
  }
  const known = membersOf(before);
  for (const [name, member] of membersOf(after)) findCopies(known.get(name), member, `${path} ${name}`, found);
}

/** What a map or list holds, by what it is there, whatever its content. */
function membersOf(collection: unknown): ReadonlyMap<string, unknown> {
  if (collection instanceof Map) return new Map([...collection].map(([key, value]) => [String(key), value]));
  if (Array.isArray(collection)) return new Map(collection.map((item: unknown) => [identityOf(item), item]));
  return new Map();
}

/** The parts that name a service, a target, a route, a rule with its audience, an endpoint. */
const naming = ['key', 'object', 'host', 'namespace', 'address', 'port', 'workloadSelector', 'service'];

function identityOf(item: unknown): string {
  if (!isRecord(item)) return String(item);
  const { visibility } = item;
  const namespaces: unknown = item['host'] !== undefined && isRecord(visibility) ? visibility['namespaces'] : undefined;
  const names = naming.map((name) => (isRecord(item[name]) && 'key' in item[name] ? item[name]['key'] : item[name]));
  return JSON.stringify([names, namespaces instanceof Set ? [...namespaces] : []]);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function live(beginning: readonly ConfigObject[], life: readonly ConfigEdit[]): void {
  const witness = new Witness();
  let config = configSnapshot(beginning);
  let before = witness.see(config);
  for (const edit of life) {
    config = nextConfig(config, edit);
    const after = witness.see(config);
    expect(after).toEqual(new Witness().see(config));
    const copies: string[] = [];
    const parts = new Map<string, unknown>(Object.entries(before.mesh));
    for (const [name, part] of Object.entries(after.mesh)) findCopies(parts.get(name), part, name, copies);
    findCopies(before.diagnostics, after.diagnostics, 'diagnostics', copies);
    for (const [index, scope] of after.scopes.entries())
      findCopies(before.scopes[index], scope, `scope ${index}`, copies);
    expect(copies).toEqual([]);
    before = after;
  }
}

it('the snapshot and every scope are as if built from scratch, and what did not change is the same object', () => {
  fc.assert(fc.property(beginnings, fc.array(edits, { minLength: 1, maxLength: 12 }), live), { numRuns: 150 });
});
