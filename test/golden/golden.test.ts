import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { dumpSnapshot } from '../../src/app/config-dump.ts';
import { translateOffline } from '../../src/app/translate-offline.ts';
import { loadYaml } from '../support/load-yaml.ts';
import { isShown, loadCase } from './case.ts';

const folder = fileURLToPath(new URL('cases', import.meta.url));
const names = readdirSync(folder).map((file) => file.replace(/\.yaml$/, ''));

/** Objects in, Envoy resources out, through everything but the network. `npm run golden` rewrites what is expected. */
describe('golden', () => {
  test.each(names)('%s', async (name) => {
    const { proves, yaml, proxy, labels, metadata, show } = loadCase(name);
    expect(proves, 'the first line says what the case proves').not.toBe('');
    const config = await loadYaml(yaml);
    const nodeMetadata = { ...metadata, ...(Object.keys(labels).length === 0 ? {} : { LABELS: labels }) };
    const snapshot = translateOffline({ config, proxy, domain: 'cluster.local', metadata: nodeMetadata });
    if (!snapshot.ok) throw new Error(snapshot.error);
    const resources = await dumpSnapshot(snapshot.value, (type, resource) => isShown(show, type, resource));
    expect(resources.length, 'the case shows something').toBeGreaterThan(0);
    const text = stringify(
      resources.map(({ version: _, ...rest }) => rest),
      { aliasDuplicateObjects: false, lineWidth: 140 },
    );
    await expect(text).toMatchFileSnapshot(`expected/${name}.yaml`);
  });
});
