import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { renderPath } from '../../src/apis/issue.ts';
import { type DumpedResource, dumpSnapshot } from '../../src/app/config-dump.ts';
import { renderOrigin } from '../../src/app/verdict-log.ts';
import type { ConfigSnapshot } from '../../src/model/config-snapshot.ts';
import type { Diagnostic } from '../../src/model/diagnostic.ts';
import { renderRef } from '../../src/model/object.ts';
import { stepsOf } from '../../src/pilot/translate/policy/diagnose.ts';
import type { Origin } from '../../src/xds/resource.ts';
import { loadYaml } from '../support/load-yaml.ts';
import { type GoldenCase, isHostShown, isShown, loadCase, withoutFields } from './case.ts';
import { translateCase } from './translate.ts';

const folder = fileURLToPath(new URL('cases', import.meta.url));
const names = readdirSync(folder).map((file) => file.replace(/\.yaml$/, ''));

/** Objects in, Envoy resources out, through everything but the network. `npm run golden` rewrites what is expected. */
describe('golden', () => {
  test.each(names)('%s', async (name) => {
    const golden = loadCase(name);
    expect(golden.proves, 'the first line says what the case proves').not.toBe('');
    const config = await loadYaml(golden.yaml, golden.despite);
    const { resources, diagnostics } = translateCase(golden, config);
    const dumped = await dumpSnapshot(resources, (type, resource) => isShown(golden.show, type, resource));
    const told = diagnostics.filter(({ code }) => isShown(golden.show, 'diagnostics', code));
    expect(dumped.length + told.length, 'the case shows something').toBeGreaterThan(0);
    const shown = [...dumped.map((resource) => showResource(resource, golden)), ...told.map(showDiagnostic)];
    const text = stringify(shown, { aliasDuplicateObjects: false, lineWidth: 140 });
    await expect(text).toMatchFileSnapshot(`expected/${name}.yaml`);
    expectSound(diagnostics, config);
    for (const { resources: byName } of resources.values()) {
      for (const { name: of, origins } of byName.values()) expectOrigins(of, origins, config);
    }
    const untold = diagnostics.filter((diagnostic) => diagnostic.level !== 'info' && !told.includes(diagnostic));
    expect(untold.map(showDiagnostic), 'whoever loses is shown').toEqual([]);
  });
});

function showResource({ version: _, ...rest }: DumpedResource, golden: GoldenCase) {
  return { ...rest, resource: withoutFields(chosenHosts(rest, golden), golden.without) };
}

type WithHosts = { readonly virtual_hosts?: readonly { readonly name: string }[] };

function chosenHosts({ type, name, resource }: Omit<DumpedResource, 'version'>, { show }: GoldenCase): unknown {
  if (type !== 'routes') return resource;
  const route = resource as WithHosts;
  return { ...route, virtual_hosts: route.virtual_hosts?.filter((host) => isHostShown(show, name, host.name)) };
}

function showDiagnostic({ code, level, object, path, message }: Diagnostic) {
  const place = `${object === undefined ? '' : renderRef(object)} ${renderPath(path)}`;
  return { type: 'diagnostics', name: code, level, place, message };
}

/** A person can follow what is said: it is about an object and place that exist, in words. */
function expectSound(diagnostics: readonly Diagnostic[], { objects }: ConfigSnapshot): void {
  for (const { code, object, path, message } of diagnostics) {
    expect(code).toMatch(/^(IST|XEB)\d{4}$/);
    expect(message).not.toMatch(/undefined|\[object|NaN|\bnull\b/);
    const all = Object.values(objects).flat();
    const found = all.find(
      ({ kind, meta }) => kind === object?.kind && meta.namespace === object.namespace && meta.name === object.name,
    );
    expect(found, `${code} is about an object`).toBeDefined();
    // The last step may be the one to add.
    expect(valueAt(found, path.slice(0, -1)), `${code} is about ${renderPath(path)}`).toBeDefined();
  }
}

/** Whoever reads a resource finds what it came from. */
function expectOrigins(name: string, origins: readonly Origin[], { objects }: ConfigSnapshot): void {
  for (const origin of origins) {
    const found = Object.values(objects)
      .flat()
      .find(
        ({ kind, meta }) => kind === origin.kind && meta.namespace === origin.namespace && meta.name === origin.name,
      );
    expect(valueAt(found, stepsOf(origin.path)), `${name} comes from ${renderOrigin(origin)}`).toBeDefined();
  }
}

function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (at, step) => (typeof at === 'object' && at !== null ? Reflect.get(at, step) : undefined),
    value,
  );
}
